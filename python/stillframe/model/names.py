"""File names as dumps record them: of another machine, perhaps of another operating system."""


def base_name(path: str) -> str:
    r"""The part after the last `/` or `\\`; both separate, whatever machine this is."""
    return path.replace("\\", "/").rpartition("/")[2]


def stem(name: str) -> str:
    """The name without its last extension: `hello` of `hello.exe`."""
    head, dot, _ = name.rpartition(".")
    return head if dot and head else name
