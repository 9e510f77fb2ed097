"""Tests of the eBPF engine. They need root and a kernel that can do it; where these lack they fail."""
