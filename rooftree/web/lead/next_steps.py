"""Next steps on a lead: its open tasks, its appointment and the choices for new ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rooftree.leads import lead_tasks
from rooftree.leads.appointments import APPOINTMENT
from rooftree.leads.models import MEETINGS, Task
from rooftree.org.models import User
from rooftree.routing import task_lists
from rooftree.web.lead import due_choices
from rooftree.web.lead.due_choices import SNOOZE_CHOICES, TASK_CHOICES, DueChoice
from rooftree.web.lead.next_step_forms import AppointmentForm, initial_appointment

MAX_FIRST = 2  # tasks in view; the others unfold
MEETING_ICONS = {"phone": "phone", "office": "home", "video": "play"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskLine:
    """One task as a page shows it."""

    task: Task
    can_finish: bool
    can_move: bool
    icon: str
    meeting: str  # of an appointment: "Phone, 30 min"


@dataclass(frozen=True, slots=True, kw_only=True)
class NextSteps:
    """The content of the card at the top of a lead."""

    appointment: TaskLine | None
    first: list[TaskLine]
    more: list[TaskLine]
    task_choices: list[DueChoice]
    snooze_choices: list[DueChoice]
    form: AppointmentForm


def build_next_steps(tasks: Sequence[Task], user: User, at: datetime) -> NextSteps:
    """Build the card from the lead's open `tasks`, soonest first."""
    lines = build_task_lines(tasks, user)
    others = [line for line in lines if line.task.kind != APPOINTMENT]
    appointment = next((line for line in lines if line.task.kind == APPOINTMENT), None)
    return NextSteps(
        appointment=appointment,
        first=others[:MAX_FIRST],
        more=others[MAX_FIRST:],
        task_choices=due_choices.due_choices(TASK_CHOICES, user, at),
        snooze_choices=due_choices.due_choices(SNOOZE_CHOICES, user, at),
        form=AppointmentForm(
            initial=initial_appointment(
                appointment.task if appointment else None, suggest_start(user, at)
            )
        ),
    )


def build_task_lines(tasks: Sequence[Task], user: User) -> list[TaskLine]:
    """Build the lines of some tasks, with what the user can do with each."""
    return [_build_line(task, user) for task in tasks]


def suggest_start(user: User, at: datetime) -> datetime:
    """Return 10 AM of the user's next workday, where the appointment form starts."""
    return (due_choices.due_time("day", user, at) or at) + timedelta(hours=1)


def _build_line(task: Task, user: User) -> TaskLine:
    can_finish = task_lists.can_finish(user, task)
    meeting = f"{MEETINGS[task.meeting]}, {task.minutes} min" if task.meeting else ""
    return TaskLine(
        task=task,
        can_finish=can_finish,
        can_move=can_finish and task.kind == lead_tasks.TYPED,
        icon=MEETING_ICONS.get(task.meeting, "clock"),
        meeting=meeting,
    )
