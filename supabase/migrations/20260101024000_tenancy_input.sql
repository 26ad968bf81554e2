-- What acts are given beside ids: reasons, choices and moments, each read in one way everywhere.

create function private.check_reason(p_reason text) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_reason is null or length(btrim(p_reason)) not between 1 and 500 then
    perform private.fail(400, 'invalid_input', 'Say why, in 1 to 500 characters.', '{"field": "p_reason"}');
  end if;
end;
$$;

comment on function private.check_reason(text) is 'A reason has 1 to 500 characters. Errors: 400 invalid_input.';

create function private.check_choice(p_value text, p_choices text[], p_field text) returns void
language plpgsql immutable
set search_path = ''
as $$
begin
  if p_value is null or p_value <> all (p_choices) then
    perform private.fail(400, 'invalid_input', format('%s is one of: %s.', p_field, array_to_string(p_choices, ', ')),
      jsonb_build_object('field', p_field, 'allowed', to_jsonb(p_choices)));
  end if;
end;
$$;

comment on function private.check_choice(text, text[], text)
  is 'Is this one of the choices? Errors: 400 invalid_input.';

create function private.act_time(p_org_id uuid, p_options jsonb) returns timestamptz
language plpgsql stable
set search_path = ''
as $$
declare
  v_at timestamptz := now();
begin
  if p_options ->> 'occurred_at' is not null then
    if not private.permitted('sale.backdate', p_org_id) then
      perform private.fail(403, 'backdating_denied', 'Your role posts as of now.', '{"permission": "sale.backdate"}');
    end if;
    v_at := private.instant(p_options ->> 'occurred_at', 'occurred_at');
    if v_at not between '2000-01-01' and now() then
      perform private.fail(400, 'invalid_input', 'occurred_at lies in the future, or before the year 2000.',
        '{"field": "occurred_at"}');
    end if;
  end if;
  return v_at;
end;
$$;

comment on function private.act_time(uuid, jsonb) is
'When an act took place: the option occurred_at, else now. Errors: 403 backdating_denied, 400 invalid_input.';

create function private.local_date(p_org_id uuid, p_branch_id uuid, p_at timestamptz) returns date
language plpgsql stable
set search_path = ''
as $$
begin
  return (select (p_at at time zone timezone)::date from public.branches where org_id = p_org_id and id = p_branch_id);
end;
$$;

comment on function private.local_date(uuid, uuid, timestamptz)
  is 'The business date of an instant: the branch''s local date.';
