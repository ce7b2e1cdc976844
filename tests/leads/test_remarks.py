import pytest

from rooftree.leads import lead_tasks, remarks
from rooftree.leads.models import Remark, Task
from rooftree.ledger.models import Event
from tests import make


def test_note_is_stored_and_ledger_has_no_text(cast):
    remark = remarks.add_remark(
        lead_id=cast.ben.pk, by=cast.dana.user.pk, text="  Prefers evenings  ", at=make.NOON
    )

    assert Remark.objects.get(pk=remark.pk).text == "Prefers evenings"
    event = Event.objects.get(kind="leads.remark.added")
    assert event.lead_id == cast.ben.pk
    assert "evenings" not in str(event.data)


@pytest.mark.parametrize("text", ["", " \n ", "x" * 4001])
def test_empty_or_too_long_note_is_refused(cast, text):
    with pytest.raises(remarks.InvalidRemark):
        remarks.add_remark(lead_id=cast.ben.pk, by=cast.dana.user.pk, text=text, at=make.NOON)

    assert not Remark.objects.exists()


def test_double_submit_stores_note_and_task_once(cast):
    def press(at):
        remarks.add_remark(lead_id=cast.ben.pk, by=cast.dana.user_id, text="Call after 5", at=at)
        return lead_tasks.add_task(
            lead_id=cast.ben.pk, user_id=cast.dana.user_id, title="Send papers",
            due_at=make.NOON + make.DAY, at=at,
        )  # fmt: skip

    first, second = press(make.NOON), press(make.NOON + make.SECOND)
    later = press(make.NOON + make.HOUR)

    assert (first.pk == second.pk, first.pk == later.pk) == (True, False)
    assert [remark.at for remark in Remark.objects.order_by("at")] == [
        make.NOON,
        make.NOON + make.HOUR,
    ]


def test_task_is_finished_once(cast):
    task = lead_tasks.add_task(
        lead_id=cast.ben.pk,
        user_id=cast.dana.user.pk,
        title="Call",
        due_at=make.NOON + make.HOUR,
        at=make.NOON,
    )

    assert lead_tasks.finish_task(task_id=task.pk, by=cast.dana.user.pk, at=make.NOON + make.MINUTE)
    assert not lead_tasks.finish_task(
        task_id=task.pk, by=cast.dana.user.pk, at=make.NOON + make.HOUR
    )
    assert Task.objects.get(pk=task.pk).done_at == make.NOON + make.MINUTE
