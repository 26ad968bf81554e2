-- What is given on a whole document: an amount or a share of it, spread over the lines before they are taxed.

create function private.read_discount(p_discount jsonb, p_sum numeric, out amount numeric, out percent numeric)
language plpgsql stable
set search_path = ''
as $$
declare
  v_field text := case when jsonb_typeof(p_discount) = 'object' then (
    select min(k) from jsonb_object_keys(p_discount) k having count(*) = 1) end;
  v_value jsonb := p_discount -> v_field;
begin
  if v_field = 'amount' and private.is_amount(v_value) and v_value::numeric > 0 then
    amount := v_value::numeric;
  elsif v_field = 'percent' and jsonb_typeof(v_value) = 'number' and v_value::numeric > 0 and v_value::numeric <= 100
    and v_value::numeric = round(v_value::numeric, 3) then
    percent := v_value::numeric;
    amount := round(p_sum * percent / 100, 2);
  end if;
  if amount is null then
    perform private.fail(400, 'invalid_input',
      'discount is {"amount"} above 0, or {"percent"} above 0 and at most 100.',
      '{"field": "discount"}');
  elsif amount > p_sum then
    perform private.fail(400, 'invalid_input', 'The discount is above what the lines come to.',
      jsonb_build_object('field', 'discount', 'amount', amount, 'lines', p_sum));
  end if;
end;
$$;

comment on function private.read_discount(jsonb, numeric) is
'The option discount: {"amount": with 2 decimals} or {"percent": with 3}. p_sum: what the lines come to, in currency;
amount: what is taken off them; percent: null where an amount was given. Errors: 400 invalid_input.';

create function private.discount_document(p_org_id uuid, p_lines private.sale_line[], p_offered numeric[],
  p_discount jsonb)
returns numeric[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_limit numeric := private.discount_limit(p_org_id);
  v_line private.sale_line;
  v_nets numeric[] := array[]::numeric[];
  v_net numeric;
  v_sum numeric := 0;
  v_asked record;
  v_gross numeric;
  v_place integer := 0;
begin
  foreach v_line in array p_lines loop
    v_place := v_place + 1;
    v_net := round(v_line.quantity * v_line.unit_price, 2) - v_line.discount - coalesce(p_offered[v_place], 0);
    v_nets := v_nets || v_net;
    v_sum := v_sum + v_net;
  end loop;
  v_asked := private.read_discount(p_discount, v_sum);
  v_place := 0;
  foreach v_line in array p_lines loop
    v_place := v_place + 1;
    v_net := v_nets[v_place];
    v_gross := round(v_line.quantity * v_line.unit_price, 2);
    -- The exact share is held against the limit, not the rounded one: who may give ten percent may give them on any
    -- document.
    if (case when v_asked.percent is not null then v_line.discount * 100 + v_net * v_asked.percent > v_gross * v_limit
      else (v_line.discount * v_sum + v_net * v_asked.amount) * 100 > v_gross * v_limit * v_sum end) then
      perform private.refuse_line('discount_limit', v_line, v_limit);
    end if;
  end loop;
  return private.spread_amount(v_asked.amount, v_nets);
end;
$$;

comment on function private.discount_document(uuid, private.sale_line[], numeric[], jsonb) is
'What a discount on the whole document takes off each of its lines, before they are taxed: after what was taken off them
by hand and by offers, in proportion to what is left of their prices. p_lines: as private.price_lines returns them;
p_offered: what offers take off each, null for nothing; p_discount: the option. Of each line its share and what was
taken off by hand are together within the caller''s limit; offers do not count. Errors: 400 invalid_input; 422
discount_limit.';
