"""The one exception a user is meant to see: what is wrong, and the way out."""


class EconError(Exception):
    """A fault of the input or of the surroundings, told in one line.

    Args:
        problem: what is wrong, naming the thing (a key, a file, a server).
        way_out: what the user can do about it; appended after a dash.
    """

    def __init__(self, problem: str, way_out: str = "") -> None:
        self.problem = problem
        self.way_out = way_out
        super().__init__(f"{problem} - {way_out}" if way_out else problem)
