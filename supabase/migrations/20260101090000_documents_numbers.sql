-- Numbers of documents: gapless per branch, kind and fiscal year.

create table private.number_counters (
  org_id uuid not null,
  branch_id uuid not null,
  kind text not null references private.document_kinds (kind),
  fiscal_year text not null,
  last_value integer not null,
  primary key (org_id, branch_id, kind, fiscal_year)
) with (fillfactor = 50);

comment on table private.number_counters is
'The last serial given, per series. The row stays locked until the transaction that took a number ends: a rollback gives
the number back, so there is no gap.';
alter table private.number_counters enable row level security;

create function private.fiscal_year(p_date date, p_start_month integer) returns text
language plpgsql immutable
set search_path = ''
as $$
begin
  return case when p_start_month = 1 then to_char(p_date, 'YYYY')
    else to_char(p_date - make_interval(months => p_start_month - 1), 'YY') || '-'
      || to_char(p_date - make_interval(months => p_start_month - 1) + interval '1 year', 'YY') end;
end;
$$;

comment on function private.fiscal_year(date, integer) is
'The fiscal year''s name: 2026 when it is the calendar year, else 26-27. p_start_month: 1 to 12.';

create function private.take_number(p_org_id uuid, p_branch_id uuid, p_kind text, p_code text, p_year text) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_serial integer;
  v_digits text;
  v_number text;
  v_letter text := (select k.letter from private.document_kinds k where k.kind = p_kind);
begin
  insert into private.number_counters as c (org_id, branch_id, kind, fiscal_year, last_value)
  values (p_org_id, p_branch_id, p_kind, p_year, 1)
  on conflict (org_id, branch_id, kind, fiscal_year) do update set last_value = c.last_value + 1
  returning c.last_value into v_serial;
  v_digits := v_letter || lpad(v_serial::text, greatest(6 - length(v_letter), length(v_serial::text)), '0');
  v_number := p_code || '/' || p_year || '/' || v_digits;
  -- After 99,999 the letter parts the year from the serial by itself: so every kind reaches 999,999 with every code.
  if length(v_number) > 16 and v_letter <> '' then
    v_number := p_code || '/' || p_year || v_digits;
  end if;
  if length(v_number) > 16 then
    perform private.fail(409, 'series_exhausted', format('The numbers %s/%s of %s are used up.', p_code, p_year,
      (select k.name from private.document_kinds k where k.kind = p_kind)));
  end if;
  return v_number;
end;
$$;

comment on function private.take_number(uuid, uuid, text, text, text) is
'The next number of a series, as private.next_number, for who knows the branch''s code (p_code) and the fiscal year
(p_year) already.';

create function private.next_number(p_org_id uuid, p_branch_id uuid, p_kind text, p_date date) returns text
language plpgsql
set search_path = ''
as $$
declare
  v_code text;
  v_year text;
begin
  select b.code, private.fiscal_year(p_date, o.fiscal_year_start_month) into v_code, v_year
  from public.branches b join public.organizations o on o.id = b.org_id
  where b.org_id = p_org_id and b.id = p_branch_id;
  return private.take_number(p_org_id, p_branch_id, p_kind, v_code, v_year);
end;
$$;

comment on function private.next_number(uuid, uuid, text, date) is
'The next number of a series, <branch>/<fiscal year>/<letter of the kind, none for invoices><serial>, at most 16
characters of letters, digits, hyphen and slash (CGST Rules 2017, rule 46(b)): every kind counts to 999,999 a year at
least. Where the 16 would be passed, the slash before a letter gives way: BLR/26-27/R99999 is followed by
BLR/26-27R100000. p_kind: the kind of document; p_date: the business date. Call it last: the counter stays locked until
the transaction ends. Errors: 409 series_exhausted.';
