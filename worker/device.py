"""Which device an experiment computes on."""


def resolve_device(choice: str) -> str:
    """``cpu`` or ``cuda:<n>`` for the setting `device`; ``auto`` is the first GPU where there is one."""
    if choice == "cpu":
        return choice
    import torch  # takes seconds, and a worker that is told "cpu" needs none of it

    if choice == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    return "cuda:0" if choice == "cuda" else choice
