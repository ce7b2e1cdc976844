"""Requeue jobs whose worker died, judged by its missing heartbeat and never by the job's age."""

from django.db import transaction

from rooftree.db.statements import execute, query_rows

# Three waits, in seconds. A worker sends a heartbeat every 2: one that is silent for 6 counts
# as dead. The list of workers is an unlogged table, empty after a crash of the database: for 15
# after its start no worker counts as dead.
REQUEUE_ORPHANED = """
    update oban_jobs as job
       set state = (case when attempt < max_attempts then 'available' else 'discarded' end
                   )::oban_job_state,
           discarded_at = case when attempt < max_attempts then null
                               else timezone('UTC', now()) end,
           errors = case when attempt < max_attempts then errors
                         else errors || jsonb_build_array(jsonb_build_object(
                             'attempt', attempt, 'at', now(),
                             'error', 'The worker died during the last attempt.')) end,
           meta = meta || jsonb_build_object(
               'rescued', coalesce((meta ->> 'rescued')::int, 0) + 1)
     where state = 'executing'
       and attempted_at < timezone('UTC', now()) - interval '5 s'
       and pg_postmaster_start_time() < now() - interval '15 s'
       and not exists (
           select from oban_producers as producer
            where producer.uuid::text = job.attempted_by[2]
              and producer.updated_at > timezone('UTC', now()) - interval '6 s')
    returning queue
"""
DELETE_FINISHED = """
    delete from oban_jobs where id in (
        select id from oban_jobs
         where state = 'completed' and completed_at < timezone('UTC', now()) - interval '12 h'
            or state = 'cancelled' and cancelled_at < timezone('UTC', now()) - interval '7 d'
            or state = 'discarded' and discarded_at < timezone('UTC', now()) - interval '180 d'
         limit 10000)
"""


def requeue_orphaned_jobs() -> int:
    """Requeue the jobs of dead workers; return how many.

    Any number of clocks can do this at once. A worker that was only suspended or swapped out
    looks dead too, which is harmless: tasks are safe to run twice.
    """
    with transaction.atomic():
        queues = [queue for (queue,) in query_rows(REQUEUE_ORPHANED)]
        for queue in sorted(set(queues)):
            execute(
                "select pg_notify('public.oban_insert',"
                " jsonb_build_object('queue', %s::text)::text)",
                [queue],
            )
    return len(queues)


def delete_finished_jobs() -> int:
    """Delete old finished jobs; return how many. Failed jobs stay for half a year."""
    return execute(DELETE_FINISHED)
