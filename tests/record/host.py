"""A machine on which some commands are answered."""

from analyzer.record.machine import Done, Machine


class Host(Machine):
    """Programs that have an answer, or an error, are there."""

    name = "the host"

    def __init__(self, answers: dict[str, str], **errors: str) -> None:
        self.answers, self.errors = answers, errors

    def has(self, program: str) -> bool:
        """Tell whether a command of it is answered."""
        return program in self.errors or any(command.split()[0] == program for command in self.answers)

    def run(self, *command: str, timeout: float = 1, deadline: object = None) -> Done:
        """Answer as was given, or fail."""
        answer = self.answers.get(" ".join(command))
        error = self.errors.get(command[0], f"Error: no such container {command[-1]}")
        return Done(1, "", error) if answer is None else Done(0, answer, "")
