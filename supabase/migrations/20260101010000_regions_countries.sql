-- Countries and the regions that taxes depend on. Reference data, the same for every organisation.

create table public.countries (
  code text primary key check (code ~ '^[A-Z]{2}$'),
  name text not null unique
);

comment on table public.countries is 'ISO 3166-1 alpha-2 codes with their English short names.';

create table public.regions (
  country text not null references public.countries (code),
  code text not null check (code ~ '^[0-9A-Z]{1,3}$'),
  name text not null,
  local_component text not null default 'SGST' check (local_component in ('SGST', 'UTGST')),
  primary key (country, code)
);

comment on table public.regions is
'States whose border decides a tax. India: the two-digit codes that open every GSTIN. local_component: the tax that
stands beside CGST within the region; UTGST in union territories without a legislature (UTGST Act 2017, section 1(2) and
7).';

insert into public.countries (code, name) values
  ('AD', 'Andorra'), ('AE', 'United Arab Emirates'), ('AF', 'Afghanistan'), ('AG', 'Antigua and Barbuda'),
  ('AI', 'Anguilla'), ('AL', 'Albania'), ('AM', 'Armenia'), ('AO', 'Angola'), ('AQ', 'Antarctica'),
  ('AR', 'Argentina'), ('AS', 'American Samoa'), ('AT', 'Austria'), ('AU', 'Australia'), ('AW', 'Aruba'),
  ('AX', 'Åland Islands'), ('AZ', 'Azerbaijan'), ('BA', 'Bosnia and Herzegovina'), ('BB', 'Barbados'),
  ('BD', 'Bangladesh'), ('BE', 'Belgium'), ('BF', 'Burkina Faso'), ('BG', 'Bulgaria'), ('BH', 'Bahrain'),
  ('BI', 'Burundi'), ('BJ', 'Benin'), ('BL', 'Saint Barthélemy'), ('BM', 'Bermuda'),
  ('BN', 'Brunei Darussalam'), ('BO', 'Bolivia'), ('BQ', 'Bonaire, Sint Eustatius and Saba'),
  ('BR', 'Brazil'), ('BS', 'Bahamas'), ('BT', 'Bhutan'), ('BV', 'Bouvet Island'), ('BW', 'Botswana'),
  ('BY', 'Belarus'), ('BZ', 'Belize'), ('CA', 'Canada'), ('CC', 'Cocos (Keeling) Islands'),
  ('CD', 'Congo, The Democratic Republic of the'), ('CF', 'Central African Republic'), ('CG', 'Congo'),
  ('CH', 'Switzerland'), ('CI', 'Côte d''Ivoire'), ('CK', 'Cook Islands'), ('CL', 'Chile'),
  ('CM', 'Cameroon'), ('CN', 'China'), ('CO', 'Colombia'), ('CR', 'Costa Rica'), ('CU', 'Cuba'),
  ('CV', 'Cabo Verde'), ('CW', 'Curaçao'), ('CX', 'Christmas Island'), ('CY', 'Cyprus'), ('CZ', 'Czechia'),
  ('DE', 'Germany'), ('DJ', 'Djibouti'), ('DK', 'Denmark'), ('DM', 'Dominica'), ('DO', 'Dominican Republic'),
  ('DZ', 'Algeria'), ('EC', 'Ecuador'), ('EE', 'Estonia'), ('EG', 'Egypt'), ('EH', 'Western Sahara'),
  ('ER', 'Eritrea'), ('ES', 'Spain'), ('ET', 'Ethiopia'), ('FI', 'Finland'), ('FJ', 'Fiji'),
  ('FK', 'Falkland Islands (Malvinas)'), ('FM', 'Micronesia, Federated States of'), ('FO', 'Faroe Islands'),
  ('FR', 'France'), ('GA', 'Gabon'), ('GB', 'United Kingdom'), ('GD', 'Grenada'), ('GE', 'Georgia'),
  ('GF', 'French Guiana'), ('GG', 'Guernsey'), ('GH', 'Ghana'), ('GI', 'Gibraltar'), ('GL', 'Greenland'),
  ('GM', 'Gambia'), ('GN', 'Guinea'), ('GP', 'Guadeloupe'), ('GQ', 'Equatorial Guinea'), ('GR', 'Greece'),
  ('GS', 'South Georgia and the South Sandwich Islands'), ('GT', 'Guatemala'), ('GU', 'Guam'),
  ('GW', 'Guinea-Bissau'), ('GY', 'Guyana'), ('HK', 'Hong Kong'), ('HM', 'Heard Island and McDonald Islands'),
  ('HN', 'Honduras'), ('HR', 'Croatia'), ('HT', 'Haiti'), ('HU', 'Hungary'), ('ID', 'Indonesia'),
  ('IE', 'Ireland'), ('IL', 'Israel'), ('IM', 'Isle of Man'), ('IN', 'India'),
  ('IO', 'British Indian Ocean Territory'), ('IQ', 'Iraq'), ('IR', 'Iran'), ('IS', 'Iceland'),
  ('IT', 'Italy'), ('JE', 'Jersey'), ('JM', 'Jamaica'), ('JO', 'Jordan'), ('JP', 'Japan'), ('KE', 'Kenya'),
  ('KG', 'Kyrgyzstan'), ('KH', 'Cambodia'), ('KI', 'Kiribati'), ('KM', 'Comoros'),
  ('KN', 'Saint Kitts and Nevis'), ('KP', 'North Korea'), ('KR', 'South Korea'), ('KW', 'Kuwait'),
  ('KY', 'Cayman Islands'), ('KZ', 'Kazakhstan'), ('LA', 'Laos'), ('LB', 'Lebanon'), ('LC', 'Saint Lucia'),
  ('LI', 'Liechtenstein'), ('LK', 'Sri Lanka'), ('LR', 'Liberia'), ('LS', 'Lesotho'), ('LT', 'Lithuania'),
  ('LU', 'Luxembourg'), ('LV', 'Latvia'), ('LY', 'Libya'), ('MA', 'Morocco'), ('MC', 'Monaco'),
  ('MD', 'Moldova'), ('ME', 'Montenegro'), ('MF', 'Saint Martin (French part)'), ('MG', 'Madagascar'),
  ('MH', 'Marshall Islands'), ('MK', 'North Macedonia'), ('ML', 'Mali'), ('MM', 'Myanmar'),
  ('MN', 'Mongolia'), ('MO', 'Macao'), ('MP', 'Northern Mariana Islands'), ('MQ', 'Martinique'),
  ('MR', 'Mauritania'), ('MS', 'Montserrat'), ('MT', 'Malta'), ('MU', 'Mauritius'), ('MV', 'Maldives'),
  ('MW', 'Malawi'), ('MX', 'Mexico'), ('MY', 'Malaysia'), ('MZ', 'Mozambique'), ('NA', 'Namibia'),
  ('NC', 'New Caledonia'), ('NE', 'Niger'), ('NF', 'Norfolk Island'), ('NG', 'Nigeria'), ('NI', 'Nicaragua'),
  ('NL', 'Netherlands'), ('NO', 'Norway'), ('NP', 'Nepal'), ('NR', 'Nauru'), ('NU', 'Niue'),
  ('NZ', 'New Zealand'), ('OM', 'Oman'), ('PA', 'Panama'), ('PE', 'Peru'), ('PF', 'French Polynesia'),
  ('PG', 'Papua New Guinea'), ('PH', 'Philippines'), ('PK', 'Pakistan'), ('PL', 'Poland'),
  ('PM', 'Saint Pierre and Miquelon'), ('PN', 'Pitcairn'), ('PR', 'Puerto Rico'),
  ('PS', 'Palestine, State of'), ('PT', 'Portugal'), ('PW', 'Palau'), ('PY', 'Paraguay'), ('QA', 'Qatar'),
  ('RE', 'Réunion'), ('RO', 'Romania'), ('RS', 'Serbia'), ('RU', 'Russian Federation'), ('RW', 'Rwanda'),
  ('SA', 'Saudi Arabia'), ('SB', 'Solomon Islands'), ('SC', 'Seychelles'), ('SD', 'Sudan'), ('SE', 'Sweden'),
  ('SG', 'Singapore'), ('SH', 'Saint Helena, Ascension and Tristan da Cunha'), ('SI', 'Slovenia'),
  ('SJ', 'Svalbard and Jan Mayen'), ('SK', 'Slovakia'), ('SL', 'Sierra Leone'), ('SM', 'San Marino'),
  ('SN', 'Senegal'), ('SO', 'Somalia'), ('SR', 'Suriname'), ('SS', 'South Sudan'),
  ('ST', 'Sao Tome and Principe'), ('SV', 'El Salvador'), ('SX', 'Sint Maarten (Dutch part)'),
  ('SY', 'Syria'), ('SZ', 'Eswatini'), ('TC', 'Turks and Caicos Islands'), ('TD', 'Chad'),
  ('TF', 'French Southern Territories'), ('TG', 'Togo'), ('TH', 'Thailand'), ('TJ', 'Tajikistan'),
  ('TK', 'Tokelau'), ('TL', 'Timor-Leste'), ('TM', 'Turkmenistan'), ('TN', 'Tunisia'), ('TO', 'Tonga'),
  ('TR', 'Türkiye'), ('TT', 'Trinidad and Tobago'), ('TV', 'Tuvalu'), ('TW', 'Taiwan'), ('TZ', 'Tanzania'),
  ('UA', 'Ukraine'), ('UG', 'Uganda'), ('UM', 'United States Minor Outlying Islands'),
  ('US', 'United States'), ('UY', 'Uruguay'), ('UZ', 'Uzbekistan'), ('VA', 'Holy See (Vatican City State)'),
  ('VC', 'Saint Vincent and the Grenadines'), ('VE', 'Venezuela'), ('VG', 'Virgin Islands, British'),
  ('VI', 'Virgin Islands, U.S.'), ('VN', 'Vietnam'), ('VU', 'Vanuatu'), ('WF', 'Wallis and Futuna'),
  ('WS', 'Samoa'), ('YE', 'Yemen'), ('YT', 'Mayotte'), ('ZA', 'South Africa'), ('ZM', 'Zambia'),
  ('ZW', 'Zimbabwe');

insert into public.regions (country, code, name, local_component) values
  ('IN', '01', 'Jammu and Kashmir', 'SGST'),
  ('IN', '02', 'Himachal Pradesh', 'SGST'),
  ('IN', '03', 'Punjab', 'SGST'),
  ('IN', '04', 'Chandigarh', 'UTGST'),
  ('IN', '05', 'Uttarakhand', 'SGST'),
  ('IN', '06', 'Haryana', 'SGST'),
  ('IN', '07', 'Delhi', 'SGST'),
  ('IN', '08', 'Rajasthan', 'SGST'),
  ('IN', '09', 'Uttar Pradesh', 'SGST'),
  ('IN', '10', 'Bihar', 'SGST'),
  ('IN', '11', 'Sikkim', 'SGST'),
  ('IN', '12', 'Arunachal Pradesh', 'SGST'),
  ('IN', '13', 'Nagaland', 'SGST'),
  ('IN', '14', 'Manipur', 'SGST'),
  ('IN', '15', 'Mizoram', 'SGST'),
  ('IN', '16', 'Tripura', 'SGST'),
  ('IN', '17', 'Meghalaya', 'SGST'),
  ('IN', '18', 'Assam', 'SGST'),
  ('IN', '19', 'West Bengal', 'SGST'),
  ('IN', '20', 'Jharkhand', 'SGST'),
  ('IN', '21', 'Odisha', 'SGST'),
  ('IN', '22', 'Chhattisgarh', 'SGST'),
  ('IN', '23', 'Madhya Pradesh', 'SGST'),
  ('IN', '24', 'Gujarat', 'SGST'),
  ('IN', '26', 'Dadra and Nagar Haveli and Daman and Diu', 'UTGST'),
  ('IN', '27', 'Maharashtra', 'SGST'),
  ('IN', '29', 'Karnataka', 'SGST'),
  ('IN', '30', 'Goa', 'SGST'),
  ('IN', '31', 'Lakshadweep', 'UTGST'),
  ('IN', '32', 'Kerala', 'SGST'),
  ('IN', '33', 'Tamil Nadu', 'SGST'),
  ('IN', '34', 'Puducherry', 'SGST'),
  ('IN', '35', 'Andaman and Nicobar Islands', 'UTGST'),
  ('IN', '36', 'Telangana', 'SGST'),
  ('IN', '37', 'Andhra Pradesh', 'SGST'),
  ('IN', '38', 'Ladakh', 'UTGST'),
  ('IN', '97', 'Other Territory', 'UTGST');

alter table public.countries enable row level security;
create policy "Anyone reads countries" on public.countries for select to anon, authenticated using (true);
grant select on public.countries to anon, authenticated;

alter table public.regions enable row level security;
create policy "Anyone reads regions" on public.regions for select to anon, authenticated using (true);
grant select on public.regions to anon, authenticated;
