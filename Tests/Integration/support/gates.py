"""What a gate counted: shown at the end of the run although the tests passed, since it is the proof."""

_MARK = "counted: "


def counted(line: object) -> None:
    """Call it before the assertions: a failure is explained by it as well."""
    print(f"\n{_MARK}{line}")


def lines_in(output: str) -> list[str]:
    """What was counted, in a test's output."""
    return [line.removeprefix(_MARK) for line in output.splitlines() if line.startswith(_MARK)]
