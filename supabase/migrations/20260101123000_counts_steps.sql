-- The steps of a count's life, from submitted to posted, and reading it.

select private.declare_shape('submit_count_options',
  '{"uncounted": ["zero", "skip"]}',
  array['submit_count.p_options']);

create function public.submit_count(p_id uuid, p_count_id uuid, p_options jsonb default '{}') returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count public.stock_counts;
  v_org_id uuid;
  v_uncounted text := p_options ->> 'uncounted';
  v_open integer;
begin
  v_count := private.document_named(null::public.stock_counts, p_count_id);
  v_org_id := private.authorize_branch('count.manage', v_count.branch_id);
  perform private.check_shape('submit_count_options', p_options);
  if private.claim_request(v_org_id, p_id, 'submit_count', jsonb_build_array(p_count_id, p_options)) then
    v_count := private.lock_count(v_org_id, p_count_id, 'submitted');
    v_open := (
      select count(*) from public.stock_count_lines where org_id = v_org_id and count_id = p_count_id and counted
        is null);
    if v_open > 0 and v_uncounted is null then
      perform private.fail(422, 'count_incomplete',
        format('%s lines were not counted: say whether they are gone or stay.', v_open),
        jsonb_build_object('count_id', p_count_id, 'lines', v_open));
    elsif v_open > 0 and v_uncounted = 'zero' then
      perform private.fill_uncounted(v_count);
    end if;
    update public.stock_counts set status = 'submitted', submitted_at = now(), submitted_by = private.caller(),
      uncounted = v_uncounted
    where org_id = v_org_id and id = p_count_id;
    perform private.emit(v_org_id, 'count.submitted', jsonb_build_object('count_id', p_count_id, 'branch_id',
      v_count.branch_id));
  end if;
  return private.count_json(v_org_id, p_count_id);
end;
$$;

comment on function public.submit_count(uuid, uuid, jsonb) is
'Ends the counting. p_id: the client''s uuid of this act. p_count_id. p_options: uncounted, what becomes of lines that
nobody counted: zero (they are taken for gone, against what the book says now) or skip (they stay as they are); needed
when there are such lines. Returns the count as JSON, as get_count. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found; 409 id_reused, invalid_transition; 422 count_incomplete, branch_archived. Permission:
count.manage.';
revoke execute on function public.submit_count(uuid, uuid, jsonb) from public, anon;
grant execute on function public.submit_count(uuid, uuid, jsonb) to authenticated;

create function public.recount(p_id uuid, p_count_id uuid, p_variant_ids uuid[] default null) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count public.stock_counts;
  v_org_id uuid;
  v_line_nos integer[];
begin
  v_count := private.document_named(null::public.stock_counts, p_count_id);
  v_org_id := private.authorize_branch('count.manage', v_count.branch_id);
  if private.claim_request(v_org_id, p_id, 'recount', jsonb_build_array(p_count_id, p_variant_ids)) then
    v_count := private.lock_count(v_org_id, p_count_id, 'counting');
    if exists (
      select from unnest(p_variant_ids) a (id) where not exists (
        select from public.stock_count_lines l where l.org_id = v_org_id and l.count_id = p_count_id
          and l.variant_id = a.id)) then
      perform private.fail(404, 'not_found', 'The count has no line of this variant.', '{"field": "p_variant_ids"}');
    end if;
    -- What submitting took for gone, too, is open again: somebody may find it now.
    v_line_nos := array(
      select l.line_no from public.stock_count_lines l
      where l.org_id = v_org_id and l.count_id = p_count_id
        and (p_variant_ids is null or l.variant_id = any (p_variant_ids)
        or not exists (
          select from public.stock_count_entries e
          where e.org_id = v_org_id and e.count_id = p_count_id and e.line_no = l.line_no and e.voided_at is null)));
    perform private.lock_levels(v_org_id, array[v_count.location_id], array(
      select distinct variant_id from public.stock_count_lines
      where org_id = v_org_id and count_id = p_count_id and line_no = any (v_line_nos)));
    update public.stock_count_entries set voided_at = now(), voided_by = private.caller()
    where org_id = v_org_id and count_id = p_count_id and line_no = any (v_line_nos) and voided_at is null;
    perform private.refigure_count(v_count, v_line_nos);
    update public.stock_counts set status = 'counting', submitted_at = null, submitted_by = null, approved_at = null,
      approved_by = null, uncounted = null
    where org_id = v_org_id and id = p_count_id;
    perform private.emit(v_org_id, 'count.reopened', jsonb_build_object('count_id', p_count_id, 'branch_id',
      v_count.branch_id));
  end if;
  return private.count_json(v_org_id, p_count_id);
end;
$$;

comment on function public.recount(uuid, uuid, uuid[]) is
'Sends a submitted or approved count back to be counted: the entries of the variants named are voided, those of the
others stand. p_id: the client''s uuid of this act. p_count_id. p_variant_ids: null for all. Returns the count as JSON,
as get_count. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 id_reused, invalid_transition;
422 branch_archived. Permission: count.manage.';
revoke execute on function public.recount(uuid, uuid, uuid[]) from public, anon;
grant execute on function public.recount(uuid, uuid, uuid[]) to authenticated;

create function public.approve_count(p_id uuid, p_count_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count public.stock_counts;
  v_org_id uuid;
begin
  v_count := private.document_named(null::public.stock_counts, p_count_id);
  v_org_id := private.authorize_branch('count.approve', v_count.branch_id);
  if private.claim_request(v_org_id, p_id, 'approve_count', jsonb_build_array(p_count_id)) then
    perform private.lock_count(v_org_id, p_count_id, 'approved');
    update public.stock_counts set status = 'approved', approved_at = now(), approved_by = private.caller()
    where org_id = v_org_id and id = p_count_id;
    perform private.emit(v_org_id, 'count.approved', jsonb_build_object('count_id', p_count_id, 'branch_id',
      v_count.branch_id));
  end if;
  return private.count_json(v_org_id, p_count_id);
end;
$$;

comment on function public.approve_count(uuid, uuid) is
'Accepts the differences of a submitted count, so that they may be posted. p_id: the client''s uuid of this act.
p_count_id. Returns the count as JSON, as get_count. Errors: 400 invalid_input; 401; 403 permission_denied; 404
not_found; 409 id_reused, invalid_transition; 422 branch_archived. Permission: count.approve.';
revoke execute on function public.approve_count(uuid, uuid) from public, anon;
grant execute on function public.approve_count(uuid, uuid) to authenticated;

create function public.post_count(p_id uuid, p_count_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count public.stock_counts;
  v_org_id uuid;
  v_date date;
  v_moves private.stock_move[];
begin
  v_count := private.document_named(null::public.stock_counts, p_count_id);
  v_org_id := private.authorize_branch('count.approve', v_count.branch_id);
  if private.claim_request(v_org_id, p_id, 'post_count', jsonb_build_array(p_count_id)) then
    v_count := private.lock_count(v_org_id, p_count_id, 'posted');
    v_date := (now() at time zone (select timezone from public.branches where org_id = v_org_id
      and id = v_count.branch_id))::date;
    perform private.assert_period_open(v_org_id, v_date);
    perform private.lock_levels(v_org_id, array[v_count.location_id], array(
      select distinct (r.line).variant_id from private.count_rows(v_org_id, p_count_id) r
      where (r.figures).variance <> 0 or (r.figures).missing <> '{}' or (r.figures).found <> '{}'));
    v_moves := private.count_moves(v_count);
    if v_moves is not null then
      perform private.refuse_promised(v_org_id, v_moves);
      perform private.move_stock(v_org_id, 'stock_count', p_count_id, now(), v_moves);
      perform private.refuse_moved_finds(v_count);
    end if;
    update public.stock_count_figures f
    set shown = true, posted = case when f.variance is not null then coalesce(m.quantity, 0) end,
      worth = case when f.variance is not null then coalesce(m.worth, 0) end
    from private.count_rows(v_org_id, p_count_id) r
    left join (
      select x.variant_id, x.batch_id, sum(x.quantity * w.way) as quantity,
        round(sum(x.quantity * x.unit_cost * w.way), 2) as worth
      from public.stock_movements x
      cross join lateral (select case when x.to_location_id = v_count.location_id then 1 else -1 end as way) w
      where x.org_id = v_org_id and x.document_id = p_count_id and x.document = 'stock_count'
      group by 1, 2) m on m.variant_id = (r.line).variant_id and m.batch_id is not distinct from (r.line).batch_id
    where f.org_id = v_org_id and f.count_id = p_count_id and f.line_no = (r.line).line_no;
    update public.stock_counts set status = 'posted', posted_at = now(), posted_by = private.caller(),
      business_date = v_date
    where org_id = v_org_id and id = p_count_id;
    perform private.emit(v_org_id, 'count.posted', jsonb_build_object('count_id', p_count_id, 'branch_id',
      v_count.branch_id,
      'location_id', v_count.location_id, 'movements', coalesce(cardinality(v_moves), 0)));
  end if;
  return private.count_json(v_org_id, p_count_id);
end;
$$;

comment on function public.post_count(uuid, uuid) is
'Posts the differences of an approved count onto the levels as they are now, in from or out to the adjustment location,
at average cost; of numbered pieces those that nothing has moved since they were looked for. p_id: the client''s uuid of
this act. p_count_id. Returns the count as JSON, as get_count, with what was posted. Errors: 400 invalid_input; 401; 403
permission_denied; 404 not_found; 409 id_reused, invalid_transition, period_closed, insufficient_stock (what is missing
was sold since: recount; or it is promised, to the reservations named: shorten_reservation), serial_in_stock (a
found piece stands elsewhere by the book: transfer it, or recount), changed_meanwhile (a found piece was moved at this
moment: post again); 422 branch_archived. Permission: count.approve.';
revoke execute on function public.post_count(uuid, uuid) from public, anon;
grant execute on function public.post_count(uuid, uuid) to authenticated;

create function public.cancel_count(p_id uuid, p_count_id uuid) returns jsonb
language plpgsql security definer
set search_path = ''
as $$
declare
  v_count public.stock_counts;
  v_org_id uuid;
begin
  v_count := private.document_named(null::public.stock_counts, p_count_id);
  v_org_id := private.authorize_branch('count.manage', v_count.branch_id);
  if private.claim_request(v_org_id, p_id, 'cancel_count', jsonb_build_array(p_count_id)) then
    perform private.lock_count(v_org_id, p_count_id, 'cancelled');
    update public.stock_counts set status = 'cancelled', cancelled_at = now(), cancelled_by = private.caller()
    where org_id = v_org_id and id = p_count_id;
    perform private.emit(v_org_id, 'count.cancelled', jsonb_build_object('count_id', p_count_id, 'branch_id',
      v_count.branch_id));
  end if;
  return private.count_json(v_org_id, p_count_id);
end;
$$;

comment on function public.cancel_count(uuid, uuid) is
'Gives a count up before it is posted; nothing moves. p_id: the client''s uuid of this act. p_count_id. Returns the
count as JSON, as get_count. Errors: 400 invalid_input; 401; 403 permission_denied; 404 not_found; 409 id_reused,
invalid_transition; 422 branch_archived. Permission: count.manage.';
revoke execute on function public.cancel_count(uuid, uuid) from public, anon;
grant execute on function public.cancel_count(uuid, uuid) to authenticated;

create function public.get_count(p_id uuid) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_count public.stock_counts;
begin
  v_count := private.document_named(null::public.stock_counts, p_id);
  perform private.authorize(case when private.permitted('count.record', v_count.org_id) then 'count.record'
    else 'stock.read' end,
    v_count.org_id, v_count.branch_id);
  return private.count_json(v_count.org_id, p_id);
end;
$$;

comment on function public.get_count(uuid) is
'A count with its lines. p_id: its id. Returns its columns, "totals" {"lines", "counted", "differences", "worth"} and
"lines": [{"line_no", "variant_id", "sku", "name", "tracking", "batch", "expires_on", "counted", "figures": {"expected",
"expected_at_count", "variance", "missing", "found", "moved", "unit_cost", "worth", "posted"}}], quantities in the
variant''s unit, worth in the organisation''s currency. figures, differences and worth are null where a blind count
hides them from the caller (figures_shown). Errors: 401; 404 not_found; 403 permission_denied. Permission: count.record
or stock.read; for the figures stock.read, for those of a blind count count.approve.';
revoke execute on function public.get_count(uuid) from public, anon;
grant execute on function public.get_count(uuid) to authenticated;
