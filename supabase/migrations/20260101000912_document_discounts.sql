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
    perform private.fail(400, 'invalid_input', 'discount is {"amount"} above 0, or {"percent"} above 0 and at most 100.',
      '{"field": "discount"}');
  elsif amount > p_sum then
    perform private.fail(400, 'invalid_input', 'The discount is above what the lines come to.',
      jsonb_build_object('field', 'discount', 'amount', amount, 'lines', p_sum));
  end if;
end;
$$;

comment on function private.read_discount(jsonb, numeric) is
'The option discount: {"amount": with 2 decimals} or {"percent": with 3}. p_sum: what the lines come to, in currency; amount: what is taken off
them; percent: null where an amount was given. Errors: 400 invalid_input.';

create function private.discount_document(p_org_id uuid, p_lines private.sale_line[], p_discount jsonb, p_supply private.supply)
returns private.sale_line[]
language plpgsql stable
set search_path = ''
as $$
declare
  v_limit numeric := private.discount_limit(p_org_id);
  v_lines private.sale_line[] := p_lines;
  v_line private.sale_line;
  v_nets numeric[] := array[]::numeric[];
  v_parts numeric[];
  v_sum numeric := 0;
  v_asked record;
  v_by_hand numeric;
  v_gross numeric;
begin
  foreach v_line in array p_lines loop
    v_nets := v_nets || (round(v_line.quantity * v_line.unit_price, 2) - v_line.discount);
    v_sum := v_sum + v_nets[cardinality(v_nets)];
  end loop;
  v_asked := private.read_discount(p_discount, v_sum);
  v_parts := private.spread_amount(v_asked.amount, v_nets);
  for i in 1 .. cardinality(p_lines) loop
    v_line := p_lines[i];
    -- The exact share is held against the limit, not the rounded one: who may give ten percent may give them on any document.
    v_by_hand := v_line.discount - (select coalesce(sum((o ->> 'amount')::numeric), 0) from jsonb_array_elements(v_line.offers) o);
    v_gross := v_nets[i] + v_line.discount;
    if (case when v_asked.percent is not null then v_by_hand * 100 + v_nets[i] * v_asked.percent > v_gross * v_limit
      else (v_by_hand * v_sum + v_nets[i] * v_asked.amount) * 100 > v_gross * v_limit * v_sum end) then
      perform private.refuse_line('discount_limit', v_line, v_limit);
    end if;
    continue when v_parts[i] = 0;
    v_line := private.line_less(v_line, v_nets[i], v_parts[i], p_supply);
    v_line.document_discount := v_parts[i];
    v_lines[i] := v_line;
  end loop;
  return v_lines;
end;
$$;

comment on function private.discount_document(uuid, private.sale_line[], jsonb, private.supply) is
'Takes a discount on the whole document off its lines, after what was taken off them by hand and by offers, in proportion to what is left of their
prices, and taxes them anew. p_lines: as private.price_lines or private.apply_offers returns them; p_discount: the option; p_supply: as
private.place_of_supply found. Of each line its share and what was taken off by hand are together within the caller''s limit; offers
do not count. Errors: 400 invalid_input; 422 discount_limit, tax_above_price.';
