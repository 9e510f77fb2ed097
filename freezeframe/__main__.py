"""The command `freezeframe`. Errors are printed here and nowhere else: what, where, remedy; exit 1 cannot now, 2 bad input."""

import os
import sys

from compiler.ir.errors import FreezeframeError
from freezeframe.told import answer, asked_plainly


def main() -> None:
    """Run the command line; the exit code is 0 done, 1 could not be done now, 2 bad input."""
    try:
        asked = asked_plainly(sys.argv[1:])
        if asked is not None:
            answer(asked)
            _leave()
        else:
            from freezeframe.cli import run

            run()
    except FreezeframeError as error:
        print(f"freezeframe: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("freezeframe: interrupted", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if os.environ.get("FREEZEFRAME_DEBUG"):
            raise
        import traceback

        place = traceback.extract_tb(error.__traceback__)[-1]
        what = f"an error of Freezeframe itself: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"
        print(f"freezeframe: {what}; please report it, with what FREEZEFRAME_DEBUG=1 shows", file=sys.stderr)
        sys.exit(1)


def _leave() -> None:
    """End now: to take apart what the kernel frees anyway would be a tenth of a run that found everything kept."""
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
