-- What taxes depend on besides rates: the states and provinces of sales tax, tax unions, customers whom tax treats
-- otherwise, and the amounts that laws set and change.

-- Tables ------------------------------------------------------------------------------------------

alter table public.countries add column tax_union text check (tax_union = 'EU');
comment on column public.countries.tax_union is
'EU: its territory is one for value added tax (Directive 2006/112/EC, article 5). A registered buyer in another country
of the union accounts for the tax himself.';

update public.countries set tax_union = 'EU' where code in ('AT', 'BE', 'BG', 'CY', 'CZ', 'DE', 'DK', 'EE', 'ES', 'FI',
  'FR', 'GR',
  'HR', 'HU', 'IE', 'IT', 'LT', 'LU', 'LV', 'MT', 'NL', 'PL', 'PT', 'RO', 'SE', 'SI', 'SK');

insert into public.regions (country, code, name) values
  ('US', 'AL', 'Alabama'), ('US', 'AK', 'Alaska'), ('US', 'AZ', 'Arizona'), ('US', 'AR', 'Arkansas'),
    ('US', 'CA', 'California'),
  ('US', 'CO', 'Colorado'), ('US', 'CT', 'Connecticut'), ('US', 'DE', 'Delaware'), ('US', 'DC', 'District of Columbia'),
  ('US', 'FL', 'Florida'), ('US', 'GA', 'Georgia'), ('US', 'HI', 'Hawaii'), ('US', 'ID', 'Idaho'),
    ('US', 'IL', 'Illinois'),
  ('US', 'IN', 'Indiana'), ('US', 'IA', 'Iowa'), ('US', 'KS', 'Kansas'), ('US', 'KY', 'Kentucky'),
    ('US', 'LA', 'Louisiana'),
  ('US', 'ME', 'Maine'), ('US', 'MD', 'Maryland'), ('US', 'MA', 'Massachusetts'), ('US', 'MI', 'Michigan'),
    ('US', 'MN', 'Minnesota'),
  ('US', 'MS', 'Mississippi'), ('US', 'MO', 'Missouri'), ('US', 'MT', 'Montana'), ('US', 'NE', 'Nebraska'),
    ('US', 'NV', 'Nevada'),
  ('US', 'NH', 'New Hampshire'), ('US', 'NJ', 'New Jersey'), ('US', 'NM', 'New Mexico'), ('US', 'NY', 'New York'),
  ('US', 'NC', 'North Carolina'), ('US', 'ND', 'North Dakota'), ('US', 'OH', 'Ohio'), ('US', 'OK', 'Oklahoma'),
    ('US', 'OR', 'Oregon'),
  ('US', 'PA', 'Pennsylvania'), ('US', 'RI', 'Rhode Island'), ('US', 'SC', 'South Carolina'),
    ('US', 'SD', 'South Dakota'),
  ('US', 'TN', 'Tennessee'), ('US', 'TX', 'Texas'), ('US', 'UT', 'Utah'), ('US', 'VT', 'Vermont'),
    ('US', 'VA', 'Virginia'),
  ('US', 'WA', 'Washington'), ('US', 'WV', 'West Virginia'), ('US', 'WI', 'Wisconsin'), ('US', 'WY', 'Wyoming'),
  ('CA', 'AB', 'Alberta'), ('CA', 'BC', 'British Columbia'), ('CA', 'MB', 'Manitoba'), ('CA', 'NB', 'New Brunswick'),
  ('CA', 'NL', 'Newfoundland and Labrador'), ('CA', 'NS', 'Nova Scotia'), ('CA', 'NT', 'Northwest Territories'),
    ('CA', 'NU', 'Nunavut'),
  ('CA', 'ON', 'Ontario'), ('CA', 'PE', 'Prince Edward Island'), ('CA', 'QC', 'Quebec'), ('CA', 'SK', 'Saskatchewan'),
  ('CA', 'YT', 'Yukon');

alter table public.customers
  add column tax_area text check (tax_area ~ '^[A-Z0-9]{1,12}(-[A-Z0-9]{1,12}){0,2}$'),
  add column tax_treatment text not null default 'regular' check (tax_treatment in ('regular', 'sez', 'exempt')),
  add constraint treatment_has_a_number check (tax_treatment = 'regular' or tax_number is not null);
comment on column public.customers.tax_area
  is 'What lies below the region and taxes too (county, city), as tax_rates.region names it.';
comment on column public.customers.tax_treatment is
'sez: a unit or developer of a Special Economic Zone, whose supplies are zero-rated (IGST Act 2017, section 16(1)(b)).
exempt: holds an exemption or resale certificate, whose number is tax_number (VAT, sales tax). Selling to either needs
price.override.';

create table public.tax_thresholds (
  country text not null references public.countries (code),
  code text not null check (code ~ '^[a-z0-9_]{2,30}$'),
  valid_from date not null,
  amount numeric(14, 2) not null check (amount >= 0),
  source text not null,
  primary key (country, code, valid_from)
);

comment on table public.tax_thresholds is
'Amounts that a tax law sets, in the country''s currency, from a date on. b2cl: above which value an inter-State invoice
to an unregistered person is reported by itself. source: where the law says so.';

insert into public.tax_thresholds (country, code, valid_from, amount, source) values
  ('IN', 'b2cl', '2017-07-01', 250000, 'CGST Rules 2017, rule 59(4)(a)(ii)'),
  ('IN', 'b2cl', '2024-08-01', 100000, 'Notification 12/2024-Central Tax of 10 July 2024, amending rule 59(4)');

-- Functions ---------------------------------------------------------------------------------------

create function private.tax_threshold(p_country text, p_code text, p_date date) returns numeric
language plpgsql stable
set search_path = ''
as $$
begin
  return (
    select t.amount from public.tax_thresholds t
    where t.country = p_country and t.code = p_code and t.valid_from <= p_date order by t.valid_from desc limit 1);
end;
$$;

comment on function private.tax_threshold(text, text, date) is
'An amount of tax law as it stood on a date, in the country''s currency; null before there was one. No errors.';

-- Policies and grants -----------------------------------------------------------------------------

alter table public.tax_thresholds enable row level security;
create policy "Anyone reads the amounts that tax laws set" on public.tax_thresholds for select to anon, authenticated
  using (true);
grant select on public.tax_thresholds to anon, authenticated;
grant insert (tax_area, tax_treatment) on public.customers to authenticated;
grant update (tax_area, tax_treatment) on public.customers to authenticated;
