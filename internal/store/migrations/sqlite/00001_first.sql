-- +goose Up
-- Times are UTC microseconds. Ids of ours are UUIDs. Money is in minor units.
-- Tables are without rowid where a row is under a quarter of a page: of a longer one SQLite would keep the most in a
-- page of its own.

-- compatible_from: a release that knows no migration as new as this one must not run on the schema. A migration
-- that the release before it cannot live with sets it to its own number; the others leave it.
create table setting (id integer primary key check (id = 1), version integer not null, canary blob, compatible_from integer not null default 1);
insert into setting (id, version) values (1, 1);

create table merchant (
  id text primary key, name text not null unique, created_at integer not null
) strict;

create table store (
  id text primary key, merchant_id text not null references merchant (id), name text not null,
  representative integer not null, tier_code text not null, webhook_first integer not null,
  webhook_first_limit integer not null, origins text not null, app_schemes text not null, merchant_webhooks integer not null default 0,
  notice_secret blob not null, created_at integer not null
) strict;
create index store_by_merchant on store (merchant_id);

create table channel (
  key text primary key, merchant_id text not null, store_id text not null references store (id),
  name text not null, provider text not null, mode text not null, mid text not null,
  payment_type text not null, methods text not null, stores text not null, base_url text not null,
  credentials blob not null, senders text, unknown text not null, confirm integer,
  token blob, disabled integer not null, asked_at integer, notes text not null, created_at integer not null
) strict;
create index channel_by_mid on channel (provider, mid);

create table endpoint (
  id text primary key, merchant_id text not null, store_id text not null references store (id),
  name text not null, url text not null, mode text not null, events text not null,
  version text not null, content_type text not null, schedule text not null,
  paused integer not null, secrets blob not null, old_until integer, in_flight integer not null,
  timeout integer not null, headers blob, created_at integer not null
) strict;
create unique index endpoint_by_name on endpoint (store_id, mode, name);

create table api_secret (
  id text primary key, merchant_id text not null, store_id text not null references store (id),
  name text not null, mode text not null, hash text not null unique, expires_at integer,
  generation integer not null, created_at integer not null
) strict;
create unique index api_secret_by_name on api_secret (store_id, name);

-- token is a keyed hash of the token that the key was given last.
create table api_key (
  id text primary key, merchant_id text not null, store_id text not null references store (id),
  key text not null unique, mode text not null, hash text not null, expires_at integer, created_at integer not null,
  token text unique, token_from integer, token_until integer
) strict;

-- trial and trial_until: a change that is undone at that time.
create table allow (
  store_id text not null references store (id), scope text not null, cidr text not null,
  trial text not null default '', trial_until integer,
  primary key (store_id, scope, cidr)
) strict, without rowid;

-- People of the console. doc is sealed: the hash of the password, the second factor, and how they like it. link is the hash
-- of a link by which the password is chosen.
create table member (
  id text primary key, merchant_id text not null references merchant (id), store_id text not null, email text not null unique,
  name text not null, role text not null, operator integer not null, disabled integer not null,
  link text unique, link_until integer, created_at integer not null, signed_in_at integer, doc blob not null
) strict;
create index member_by_merchant on member (merchant_id);

-- token is a hash of what the browser has. seen_at is to a minute.
create table session (
  id text primary key, token text not null unique, member_id text not null references member (id) on delete cascade,
  created_at integer not null, seen_at integer not null, confirmed_at integer, address text not null, agent text not null
) strict;
create index session_by_member on session (member_id);
create index session_by_age on session (created_at);

-- Hashes of the tokens by which the first member is made.
create table setup (token text primary key, until integer not null) strict, without rowid;

-- How often signing in failed of late, by an account or from an address: its name is a keyed hash. Nothing is tried
-- before until.
create table sign_in (name text primary key, failures integer not null, at integer not null, until integer not null) strict, without rowid;
create index sign_in_by_age on sign_in (at);

create table payment (
  key text primary key, merchant_id text not null, store_id text not null, id text not null,
  mode text not null, state text not null, amount integer not null, currency text not null,
  requested_at integer not null, updated_at integer not null, status_changed_at integer not null,
  deadline integer, channel_key text not null default '', method text not null default '', doc blob not null
) strict;
create unique index payment_by_id on payment (store_id, id);
create index payment_by_deadline on payment (deadline, key) where deadline is not null;
-- Lists go along these, by either time, of each store, mode and state apart. Each takes some 100 bytes a payment and is
-- written when a payment is made and with each change of its state. They end with the amount, by which people narrow
-- the lists.
create index payment_by_request on payment (store_id, mode, state, requested_at, key, amount);
create index payment_by_change on payment (store_id, mode, state, status_changed_at, key, amount);

-- Names under which notices speak of a payment; and, in no channel, the ids of its attempts, by which people ask for it.
create table match_key (
  channel_key text not null, kind text not null, value text not null, payment_key text not null,
  store_id text not null,
  primary key (channel_key, kind, value, payment_key)
) strict, without rowid;
create index match_key_by_store on match_key (store_id, value) where kind = 'order';

-- What search goes through: pages of up to a thousand records of what was known of payments when something became of
-- them, in two parts, words and numbers, each sealed as a whole. upto is when the newest record was made.
create table search_page (
  id text not null, part text not null, merchant_id text not null, upto integer not null, records integer not null,
  body blob not null,
  primary key (id, part)
) strict;
create index search_page_by_merchant on search_page (merchant_id, part, id);
create index search_page_by_age on search_page (upto);
-- The event up to which the pages know of payments, and payments that changed without one.
create table search_upto (id integer primary key check (id = 1), event text not null) strict;
create table search_due (payment_key text primary key) strict, without rowid;

-- Messages and deposits that were decided; never pruned.
create table notice_key (
  channel_key text not null, key text not null, notice_id text not null,
  primary key (channel_key, key)
) strict, without rowid;
create table deposit (
  channel_key text not null, key text not null, payment_key text not null, notice_id text not null,
  primary key (channel_key, key)
) strict, without rowid;

create table notice (
  id text primary key, received_at integer not null, provider text not null, channel_key text not null,
  merchant_id text not null, store_id text not null, mode text not null, peer text not null,
  method text not null, path text not null, size integer not null, truncated integer not null,
  event text not null, kind text not null, order_id text not null, key text not null,
  amount integer, currency text not null, occurred_at integer, pg_tx text not null,
  verdict text not null, reason text not null, detail text not null, payment_key text,
  charset text not null, decided_in integer
) strict, without rowid;
create index notice_by_channel on notice (channel_key, id);
create index notice_by_verdict on notice (verdict, id) where verdict <> 'applied';
-- What needs a person, of each merchant: few, and none of them is ever applied.
create index notice_by_trouble on notice (merchant_id, mode, verdict, id) where verdict in ('refused', 'unreadable');
-- What a payment was told beside what moved it, which its events tell. An entry of some 50 bytes for each notice that is
-- no plain deposit: the deposits, which are nearly all, write none.
create index notice_by_payment on notice (payment_key, id) where payment_key is not null and verdict <> 'applied';
create table notice_body (id text primary key, request blob not null) strict;

-- Verdicts of held notices that were decided again, numbered from 1: each was replaced by the next, the last by
-- the one in the notice's own row.
create table verdict (
  id text primary key, notice_id text not null, number integer not null,
  replaced_at integer not null, verdict text not null,
  reason text not null, detail text not null, payment_key text
) strict, without rowid;
create index verdict_by_notice on verdict (notice_id, number);

-- What waits for the PG, a registration or a person.
create table open_case (
  id text primary key, kind text not null, channel_key text not null, merchant_id text not null,
  store_id text not null, notice_key text not null, payment_key text, reason text not null,
  opened_at integer not null, resends integer not null
) strict, without rowid;
create unique index open_case_by_key on open_case (channel_key, notice_key) where notice_key <> '';
create index open_case_by_payment on open_case (payment_key) where payment_key is not null;
create index open_case_by_merchant on open_case (merchant_id, opened_at, id);
create table case_key (
  channel_key text not null, kind text not null, value text not null, case_id text not null,
  primary key (channel_key, kind, value, case_id)
) strict, without rowid;
create index case_key_by_case on case_key (case_id);

-- Cases that a person ended (id is the case's), with who it was and what they said of it.
create table closed_case (
  id text not null, closed_at integer not null, kind text not null, channel_key text not null, merchant_id text not null,
  store_id text not null, mode text not null, notice_key text not null, payment_key text, reason text not null,
  opened_at integer not null, resends integer not null, how text not null, by_kind text not null, by_id text not null,
  by_name text not null, note text not null,
  primary key (id, closed_at)
) strict, without rowid;
create index closed_case_by_key on closed_case (channel_key, notice_key) where notice_key <> '';
create index closed_case_by_merchant on closed_case (merchant_id, closed_at, id);
create index closed_case_by_age on closed_case (closed_at);

create table event (
  id text primary key, type text not null, at integer not null, merchant_id text not null,
  store_id text not null, mode text not null, payment_key text, payment_id text not null,
  transaction_id text not null, cancellation_id text not null, billing_key text not null, state text not null,
  deposited integer not null, concern text, notice_id text, fanout integer not null, told integer not null default 1
) strict, without rowid;
-- For the list of what was paid and cancelled, and for listen sessions.
create index event_by_store on event (store_id, mode, id);
-- For the story of a payment: some 50 bytes for each event, among those of payments of the same days.
create index event_by_payment on event (payment_key, id) where payment_key is not null;
create index event_by_attention on event (merchant_id, mode, id) where type = 'tongbo.attention';

-- Machines of developers that hear of events by a connection of their own; floor is an id before which none is left to
-- be sent, and holder the connection that has the session.
create table listener (
  id text primary key, merchant_id text not null, store_id text not null, mode text not null, api_secret_id text not null,
  name text not null, forward text not null, events text not null, version text not null, content_type text not null,
  secret blob not null, floor text not null, holder text not null, opened_at integer not null, heard_at integer not null
) strict, without rowid;
create unique index listener_by_name on listener (store_id, mode, api_secret_id, name);
create index listener_by_age on listener (heard_at);
-- What was resent by hand while a session was open, until its machine has tried it.
create table listener_repeat (
  listener_id text not null, id text not null, event_id text not null,
  primary key (listener_id, id)
) strict, without rowid;
-- Tries through sessions, as their machines reported them.
create table listener_try (
  listener_id text not null, item text not null, number integer not null, event_id text not null, type text not null,
  payment_key text, payment_id text not null, at integer not null, took integer not null, url text not null,
  status integer not null, error text not null, exchange blob not null,
  primary key (listener_id, item, number)
) strict;
create index listener_try_by_payment on listener_try (payment_key) where payment_key is not null;
create index listener_try_by_age on listener_try (at);

-- Hot: deliveries that are not over.
create table delivery (
  id text primary key, event_id text not null, payment_key text, merchant_id text not null,
  store_id text not null, mode text not null, type text not null, endpoint_id text,
  payment_id text not null default '', channel_key text not null default '',
  url text not null, target text not null, content_type text not null, body blob not null,
  schedule text not null, state text not null, tries integer not null, lane integer not null,
  due_at integer not null, ready_at integer not null, lease text, manual integer not null,
  original text, created_at integer not null
) strict;
create index delivery_ready on delivery (target, lane, ready_at) where state = 'waiting';
create index delivery_by_payment on delivery (payment_key) where payment_key is not null;
create index delivery_by_event on delivery (event_id);

create table delivery_end (
  id text primary key, event_id text not null, payment_key text, merchant_id text not null,
  store_id text not null, mode text not null, type text not null, endpoint_id text,
  payment_id text not null default '', channel_key text not null default '',
  url text not null, target text not null, content_type text not null, body blob not null,
  schedule text not null, state text not null, tries integer not null, manual integer not null,
  original text, created_at integer not null, ended_at integer not null, outcome text not null
) strict;
create index delivery_end_by_payment on delivery_end (payment_key) where payment_key is not null;
-- Lists go along these. The first takes some 80 bytes a delivery, written behind the last one of the store when a
-- delivery ends, which no notice waits for; the second has only the few that failed.
create index delivery_end_by_store on delivery_end (store_id, mode, id);
create index delivery_end_failed on delivery_end (store_id, mode, id) where state = 'failed';

-- Resends of many webhooks together. filter and who asked are sealed in doc; upto is how far it has looked, and ready_at
-- when it may be taken up, while it runs. Rows go with history.
create table resend_job (
  id text primary key, merchant_id text not null, store_id text not null, mode text not null, state text not null,
  upto text not null, expected integer not null, more integer not null, made integer not null, skipped integer not null,
  created_at integer not null, ended_at integer, ready_at integer not null, lease text not null, doc blob not null
) strict;
create index resend_job_by_merchant on resend_job (merchant_id, mode, id);
create index resend_job_by_age on resend_job (ended_at) where ended_at is not null;
create index resend_job_running on resend_job (ready_at) where state = 'running';
-- What a job sent again: the first delivery, and the resend; null if there may be none.
create table resend_made (
  job_id text not null, original text not null, delivery_id text, at integer not null,
  primary key (job_id, original)
) strict, without rowid;
create index resend_made_by_age on resend_made (at);

create table attempt (
  id text primary key, delivery_id text not null, webhook_id text not null, number integer not null,
  at integer not null, took integer not null, url text not null, outcome text not null,
  status integer not null, error text not null, cause text not null default '', endpoint_id text
) strict, without rowid;
create index attempt_by_webhook on attempt (webhook_id, id);
-- For the health of an endpoint, which looks at its newest tries.
create index attempt_by_endpoint on attempt (endpoint_id, id) where endpoint_id is not null;
create table attempt_body (id text primary key, exchange blob not null) strict;

-- What people did. Rows are added, and never changed or pruned. doc is sealed: names, addresses, what it was, what it
-- became, and why.
create table audit (
  id text primary key, at integer not null, merchant_id text not null, store_id text not null, mode text not null,
  by_kind text not null, by_id text not null, action text not null, kind text not null, object text not null, doc blob not null
) strict;
create index audit_by_merchant on audit (merchant_id, id);
create index audit_by_object on audit (object, id) where object <> '';
create index audit_by_who on audit (by_id, id) where by_id <> '';

-- Payments about which the PG is to be asked, and when.
create table inquiry (payment_key text primary key, due_at integer not null, tries integer not null) strict, without rowid;
create index inquiry_by_due on inquiry (due_at);

-- Accounts about which the PG is to be asked whether money came that no notice told of.
create table sweep (
  payment_key text primary key, channel_key text not null, due_at integer not null, tries integer not null, why text not null
) strict, without rowid;
create index sweep_by_channel on sweep (channel_key, due_at);

-- Accounts whose deadline passed without money, of the last weeks. asked: the PG is asked about them.
create table overdue (
  payment_key text primary key, merchant_id text not null, store_id text not null, mode text not null,
  channel_key text not null, issued_at integer not null, due_at integer not null, asked integer not null
) strict, without rowid;
create index overdue_by_channel on overdue (channel_key, issued_at);
create index overdue_by_merchant on overdue (merchant_id, mode, due_at) where not asked;
create index overdue_by_age on overdue (due_at);

-- When some node last said that it serves, and a time in which none did whose accounts are not in sweep yet.
-- flags are what the node that started last was started with, as JSON.
create table heartbeat (
  id integer primary key check (id = 1), at integer not null, gap_from integer, gap_until integer, flags text not null default '[]'
) strict;

-- Billing keys; the PG's own are in the sealed doc. changed_at is when one came into its state, and
-- ended_at when it was of no use any more.
create table billing_key (
  key text primary key, merchant_id text not null, store_id text not null, mode text not null, channel_key text not null,
  state text not null, requested_at integer not null, changed_at integer not null, ended_at integer, doc blob not null
) strict, without rowid;
create index billing_key_by_request on billing_key (store_id, mode, requested_at, key);
create index billing_key_by_change on billing_key (store_id, mode, changed_at, key);
create index billing_key_by_end on billing_key (ended_at) where ended_at is not null;

-- Payments that are charged at a time. due_at is when one may be taken up; null once its attempt was begun, or it has
-- ended.
create table schedule (
  id text primary key, merchant_id text not null, store_id text not null, mode text not null, payment_id text not null,
  billing_key text not null, state text not null, created_at integer not null, time_to_pay integer not null,
  due_at integer, started_at integer, ended_at integer, doc blob not null
) strict, without rowid;
create index schedule_by_due on schedule (due_at) where due_at is not null;
create unique index schedule_by_payment on schedule (store_id, payment_id) where ended_at is null;
create index schedule_by_key on schedule (billing_key) where ended_at is null;
create index schedule_by_time on schedule (store_id, mode, time_to_pay, id);
create index schedule_by_end on schedule (ended_at) where ended_at is not null;

-- Requests that bear an Idempotency-Key: id and content are keyed hashes of the key and of what is asked. A run has
-- the request until it writes the answer, or, if it died, until the time given.
create table idempotency (
  id text primary key, content text not null, run text not null, begun_at integer not null, until integer not null, answer blob
) strict;
create index idempotency_by_age on idempotency (begun_at);

-- Calls of the APIs that bore a credential; never what they carried.
create table api_request (
  id text primary key, at integer not null, merchant_id text not null, store_id text not null, mode text not null,
  credential_kind text not null, credential_id text not null, method text not null, route text not null,
  path text not null, status integer not null, took integer not null, client text not null, error_type text not null
) strict, without rowid;
create index api_request_by_merchant on api_request (merchant_id, mode, id);

-- Payment windows: what a shop's page asked for, sealed, and what came of it. client is a keyed hash of the address from
-- which it was asked; answered is in what order with the webhook the page was told. The page is read until read_until, and
-- a live PG was asked for an account in it at asked_at.
create table checkout (
  id text primary key, merchant_id text not null, store_id text not null, mode text not null, payment_key text not null,
  client text not null, created_at integer not null, expires_at integer not null, ended_at integer, code text not null,
  answered_at integer, answered text not null, read_until integer not null, asked_at integer, doc blob not null
) strict;
create index checkout_by_payment on checkout (payment_key, created_at);
create index checkout_by_age on checkout (read_until);
create index checkout_asked on checkout (store_id, asked_at, client) where asked_at is not null;
-- Those that came to nothing go sooner.
create index checkout_idle on checkout ((case when ended_at is null or code <> '' then created_at end));

-- What merchants fixed of payments that had not begun; mode is the credential's.
create table preregistration (
  store_id text not null, payment_id text not null, mode text not null, amount integer, tax_free integer,
  currency text not null, at integer not null,
  primary key (store_id, payment_id, mode)
) strict, without rowid;
create index preregistration_by_age on preregistration (at);

-- The books of the PG that is played here for test channels: what it knows of each order, sealed.
create table trial (
  channel_key text not null, id text not null, updated_at integer not null, doc blob not null,
  primary key (channel_key, id)
) strict;
create index trial_by_age on trial (updated_at);

-- Tests of channels' whole paths: how far each has come, sealed. The newest of each channel are kept.
create table path_test (
  id text primary key, channel_key text not null, store_id text not null, doc blob not null
) strict;
create index path_test_by_channel on path_test (channel_key, id);

-- Notices that this installation sends itself: id is a keyed hash of the one-time token that stands in for the sender's
-- address until it is used or ends; seen is what became of it.
create table rehearsal (
  id text primary key, channel_key text not null, until integer not null, used_at integer, given integer not null, doc blob not null, seen text
) strict;
create index rehearsal_by_end on rehearsal (until);

-- What was refused from an address (with IPv6, a /64) on a day: kept up to a cap, counted beyond.
create table refusal (
  day integer not null, peer text not null, kept integer not null, dropped integer not null,
  primary key (day, peer)
) strict, without rowid;

-- How many bytes of refused requests are kept of a day.
create table refusal_day (day integer primary key, bytes integer not null) strict;

-- Up to which id retention took rows of a table: of what is older, nobody may miss any.
create table pruned (name text primary key, upto text not null, at integer not null) strict, without rowid;

-- When each kind of attention was last given.
create table attention (kind text primary key, at integer not null) strict, without rowid;

-- What people said of things that need a person and are no case: each hides what came up to a time.
create table acknowledged (
  id text primary key, merchant_id text not null, store_id text not null, mode text not null, kind text not null,
  subject text not null, upto integer not null, count integer not null, at integer not null,
  by_kind text not null, by_id text not null, by_name text not null, note text not null
) strict, without rowid;
create index acknowledged_by_merchant on acknowledged (merchant_id, mode, id);

-- Written to find out whether writing works: a row for each running process.
create table probe (id text primary key, at integer not null) strict, without rowid;
