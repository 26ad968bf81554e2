-- Kinds of documents: what each is called, the letter of its numbers, whether it moves stock or holds it. A room adds
-- its own.

create table private.document_kinds (
  kind text primary key check (kind ~ '^[a-z_]+$'),
  name text not null unique,
  letter text check (letter ~ '^[A-Z]?$'),
  moves_stock boolean not null,
  holds_stock text check (holds_stock in ('asked', 'itself'))
);

comment on table private.document_kinds is
'The kinds of documents there are. name: what several are called. letter: what their numbers begin with, so that a
customer sees which paper is meant; empty for invoices and the papers of the warehouse; null: they have no numbers.
moves_stock: movements may be theirs. holds_stock: goods may be reserved for one, by whoever reserves (asked) or by its
own acts alone (itself).';
alter table private.document_kinds enable row level security;
create unique index document_kinds_letter_key on private.document_kinds (letter) where letter <> '';

select private.add_event('document_kind_added', '', 'void',
'A migration added a kind of document: whoever keeps documents by kind reads the kinds again. No errors.');

create function private.add_document_kind(p_kind text, p_name text, p_letter text, p_moves_stock boolean default false,
  p_holds_stock text default null)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into private.document_kinds (kind, name, letter, moves_stock, holds_stock)
  values (p_kind, p_name, p_letter, p_moves_stock, p_holds_stock);
  perform private.document_kind_added();
end;
$$;

comment on function private.add_document_kind(text, text, text, boolean, text) is
'Adds a kind of document, for migrations; the parameters are the columns of private.document_kinds. Errors: 23505 when
kind, name or letter are taken.';

create function private.allow_kinds(p_table regclass, p_column text, p_kinds text[]) returns void
language plpgsql
set search_path = ''
as $$
declare
  v_name text := p_column || '_is_of_a_kind';
begin
  execute format('alter table %s drop constraint if exists %I', p_table, v_name);
  -- Kinds are only ever added: the rows there are need not be read again.
  execute format('alter table %s add constraint %I check (%I = any (%L::text[])) not valid', p_table, v_name, p_column,
    p_kinds);
end;
$$;

comment on function private.allow_kinds(regclass, text, text[]) is
'Makes p_kinds what a column may say. A check and not a foreign key: a key would lock the kind''s row in every sale. For
migrations.';
