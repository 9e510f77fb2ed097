"""Which functions SQL from people may call: SQLite's harmless built-in ones and ours; everything else is refused."""

from collections.abc import Sequence

from compiler.sql.calls import ENUM_NAME
from compiler.sql.errors import sql_error_at
from compiler.sql.functions import FUNCTIONS
from compiler.sql.lexer import Token
from compiler.sql.names import TABLE_FUNCTIONS, fold, nearest, unquote
from compiler.sql.operands import is_call

AGGREGATES = frozenset({"avg", "count", "group_concat", "json_group_array", "json_group_object", "sum", "total"})
"""Always aggregates; min and max are so with one argument."""

# Not here: randomblob, zeroblob (one call could ask for a gigabyte); load_extension, fts3_tokenizer (they run code).
_BUILT_IN = """
    cume_dist dense_rank first_value lag last_value lead nth_value ntile percent_rank rank row_number
    abs char coalesce format glob hex ifnull iif instr length like likelihood likely lower ltrim max min nullif
    printf quote random replace round rtrim sign sqlite_version substr substring trim typeof unicode unlikely upper
    json json_array json_array_length json_extract json_insert json_object json_patch json_quote json_remove
    json_replace json_set json_type json_valid
    date datetime julianday strftime time unixepoch
    acos acosh asin asinh atan atan2 atanh ceil ceiling cos cosh degrees exp floor ln log log10 log2 mod pi pow power
    radians sin sinh sqrt tan tanh trunc
"""
ALLOWED = frozenset(_BUILT_IN.split()) | AGGREGATES | frozenset(TABLE_FUNCTIONS) | frozenset(FUNCTIONS)
ALLOWED |= {ENUM_NAME}


def check_functions(sql: str, tokens: Sequence[Token]) -> None:
    """SqlError for the first call of a function that is not allowed."""
    for index, token in enumerate(tokens[:-1]):
        if tokens[index + 1].text != "(" or not is_call(tokens, index):
            continue
        name = unquote(token.text)
        if fold(name) not in ALLOWED:
            raise sql_error_at(sql, token.start, f'no function "{name}" may be called here', nearest(name, ALLOWED))
