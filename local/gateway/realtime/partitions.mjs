import { log } from "../log.mjs";

const EVERY_MS = 3_600_000;

// Yesterday's to the day after tomorrow's exist; messages older than three days go, a day at a time.
const MAINTAIN = `
do $$
declare
  v_day date;
  v_old record;
begin
  perform pg_advisory_xact_lock(hashtext('realtime.messages partitions'));
  for v_day in select d::date from generate_series(current_date - 1, current_date + 2, interval '1 day') d loop
    if to_regclass('realtime.messages_' || to_char(v_day, 'YYYY_MM_DD')) is null then
      execute format('create table realtime.%I partition of realtime.messages for values from (%L) to (%L)',
        'messages_' || to_char(v_day, 'YYYY_MM_DD'), v_day, v_day + 1);
      execute format('alter table realtime.%I owner to supabase_realtime_admin', 'messages_' || to_char(v_day, 'YYYY_MM_DD'));
    end if;
  end loop;
  for v_old in
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'realtime.messages'::regclass and c.relname < 'messages_' || to_char(current_date - 3, 'YYYY_MM_DD')
  loop
    execute format('drop table realtime.%I', v_old.relname);
  end loop;
end
$$`;

/** Adds and drops the daily partitions of realtime.messages now and every hour, as Realtime's janitor does. */
export async function keepPartitions(database) {
  const maintain = () => database.unsafe(MAINTAIN);
  await maintain();
  const timer = setInterval(() => {
    maintain().catch((error) =>
      log("warning", "realtime_partitions", { code: error.code, message: error.message }),
    );
  }, EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
