import type { Channel, ChannelKind } from '#config/notify.ts';
import type { Severity } from '#domain/watch/conditions.ts';
import { idAsUuid } from '#domain/watch/id-as-uuid.ts';
import type { Message, Notice, Subject } from '#domain/watch/notices.ts';
import { plainMessage } from './plain-message.ts';
import type { Post } from './post.ts';
import { signedHeaders } from './standard-webhook.ts';

/** What a message needs beside its notices. */
export interface Sending {
  /** The name of this app among others. */
  instance: string;
  now: Date;
  /** Where people look at runs. */
  link?: string;
  /** An access token of the app's identity for a resource in Azure. */
  token(scope: string): Promise<string>;
}

type Compose = (channel: Channel, message: Message, sending: Sending) => Post | Promise<Post>;

const COMPOSERS: Record<ChannelKind, Compose> = { webhook, teams, slack, ntfy, email };

/** The request that sends a message to a channel. */
export async function composed(channel: Channel, message: Message, sending: Sending): Promise<Post> {
  return COMPOSERS[channel.kind](channel, plainMessage(message), sending);
}

const ORDER: Severity[] = ['info', 'warning', 'error', 'critical'];
/** Of a long digest: Slack takes 50 blocks. */
const MOST_SHOWN = 30;
/** Teams takes 28 kB, and a workflow accepts what it then cannot post. The rest is for what is around the notices. */
const TEAMS_BYTES = 24_000;
/** ntfy makes a file of what is longer than 4,096 bytes. */
const NTFY_BYTES = 4_000;
const OPEN = 'Open Strongroom';
const JSON_TYPE = { 'content-type': 'application/json' };
const ACS_SCOPE = 'https://communication.azure.com/.default';
const ACS_VERSION = '2023-03-31';

function webhook({ url, secret = '' }: Channel, { id, notices }: Message, { instance, now, link }: Sending): Post {
  const [first] = notices;
  const isDigest = notices.length > 1 || first!.type === 'summary';
  const type = isDigest ? 'strongroom.digest' : first!.type === 'ended' ? RUN_ENDED : CONDITION + first!.type;
  const all = notices.map((notice) => ({ ...dataOf(notice), ...(link !== undefined && { link }) }));
  const data = isDigest ? all : all[0];
  const body = JSON.stringify({ type, timestamp: first!.at, instance, data });
  return { url, headers: { ...JSON_TYPE, ...signedHeaders(secret, { id, at: now, body }) }, body };
}

const CONDITION = 'strongroom.condition.';
const RUN_ENDED = 'strongroom.run.ended';
const STATES: Record<Notice['type'], string> = {
  ...{ opened: 'open', repeated: 'open', closed: 'closed' },
  ...{ ended: 'ended', summary: 'summary' },
};

/** Of a condition that has closed, without what was wrong and what to do. */
function dataOf(notice: Notice) {
  const { type, at, condition } = notice;
  if (type !== 'closed') return { ...condition, state: STATES[type], at };
  const { hint: _, ...known } = condition;
  return { ...known, message: closedLine(notice), state: STATES[type], at };
}

function closedLine({ condition: { since }, at, replacedBy }: Notice): string {
  const now = replacedBy === undefined ? '' : ` Now: ${replacedBy}.`;
  return `It was open since ${since}, and closed at ${at}.${now}`;
}

const COLORS: Record<Severity, string> = {
  ...{ info: 'default', warning: 'warning' },
  ...{ error: 'attention', critical: 'attention' },
};

/** A message with an Adaptive Card, as a workflow of Teams takes it. */
function teams({ url }: Channel, message: Message, { instance, link }: Sending): Post {
  const block = (text: string, more: object = {}) => ({
    type: 'TextBlock',
    text: plainMarkdown(text),
    wrap: true,
    ...more,
  });
  let bytes = 0;
  const shown = message.notices
    .slice(0, MOST_SHOWN)
    .map((notice) => linesOf(notice, message).map((line) => block(line)))
    .filter((blocks, index) => {
      bytes += Buffer.byteLength(JSON.stringify(blocks));
      return index === 0 || bytes <= TEAMS_BYTES;
    });
  const body = [
    block(titleOf(message), {
      size: 'medium',
      weight: 'bolder',
      color: isOver(message) ? 'good' : COLORS[worstOf(message)],
    }),
    ...shown.flat(),
    ...linesOfRest(message, shown.length).map((line) => block(line)),
    block(instance, { isSubtle: true, size: 'small' }),
  ];
  const content = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body,
    ...(link !== undefined && { actions: [{ type: 'Action.OpenUrl', title: OPEN, url: link }] }),
  };
  const attachments = [{ contentType: 'application/vnd.microsoft.card.adaptive', content }];
  return { url, headers: JSON_TYPE, body: JSON.stringify({ type: 'message', attachments }) };
}

/** Cards read some Markdown, which may stand in a reason that a person wrote. */
function plainMarkdown(text: string): string {
  return text.replace(/[\\*_[\]`~#]/g, (mark) => `\\${mark}`);
}

function slack({ url }: Channel, message: Message, { instance, link }: Sending): Post {
  const text = titleOf(message);
  const section = (lines: string) => ({
    type: 'section',
    // Otherwise, Slack would make links of what looks like an address or a channel.
    text: { type: 'mrkdwn', text: slackText(lines).slice(0, 3000), verbatim: true },
  });
  const button = { type: 'button', text: { type: 'plain_text', text: OPEN }, url: link };
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text: text.slice(0, 150) } },
    ...message.notices.slice(0, MOST_SHOWN).map((notice) => section(linesOf(notice, message).join('\n'))),
    ...linesOfRest(message, MOST_SHOWN).map(section),
    { type: 'context', elements: [{ type: 'plain_text', text: instance.slice(0, 150) || '-' }] },
    ...(link === undefined ? [] : [{ type: 'actions', elements: [button] }]),
  ];
  return { url, headers: JSON_TYPE, body: JSON.stringify({ text: slackText(text), blocks }) };
}

function slackText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const PRIORITIES: Record<Severity, string> = { info: '2', warning: '3', error: '4', critical: '5' };

function ntfy({ url, token }: Channel, message: Message, { instance, link }: Sending): Post {
  const over = isOver(message);
  const severity = worstOf(message);
  return {
    url,
    headers: {
      'content-type': 'text/plain; charset=utf-8',
      title: headerText(titleOf(message)),
      priority: over ? PRIORITIES.info : PRIORITIES[severity],
      tags: over ? 'white_check_mark' : severity === 'critical' ? 'rotating_light' : 'warning',
      ...(link !== undefined && { click: link }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body: firstBytes(`${textOf(message)}\n${instance}`, NTFY_BYTES),
  };
}

function firstBytes(text: string, most: number): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(most));
  return text.slice(0, read);
}

/** A header takes ASCII only; ntfy decodes RFC 2047. */
function headerText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?UTF-8?B?${Buffer.from(text).toString('base64')}?=`;
}

/** By the REST API of Azure Communication Services. The operation id makes a repeated request send nothing twice. */
async function email({ url, from, to = [] }: Channel, message: Message, sending: Sending): Promise<Post> {
  const { instance, link, token } = sending;
  const address = new URL(`/emails:send?api-version=${ACS_VERSION}`, url);
  return {
    url: address.href,
    headers: { ...JSON_TYPE, authorization: `Bearer ${await token(ACS_SCOPE)}`, 'operation-id': idAsUuid(message.id) },
    body: JSON.stringify({
      senderAddress: from,
      recipients: { to: to.map((each) => ({ address: each })) },
      content: {
        subject: titleOf(message).slice(0, 200),
        plainText: [textOf(message), ...(link === undefined ? [] : [link]), instance].join('\n\n'),
      },
    }),
  };
}

function isOver({ notices }: Message): boolean {
  // What ended as it should is no trouble, either.
  return notices.every(({ type, condition, replacedBy }) =>
    type === 'closed' ? replacedBy === undefined : isFine(type, condition),
  );
}

function isFine(type: Notice['type'], { condition, severity }: Subject): boolean {
  return (type === 'ended' || type === 'summary') && severity === 'info' && condition !== 'cancelled';
}

function worstOf({ notices }: Message): Severity {
  const open = notices.filter(({ type }) => type !== 'closed').map(({ condition }) => condition.severity);
  return ORDER.findLast((severity) => open.includes(severity)) ?? 'info';
}

/** In one line. */
function titleOf(message: Message): string {
  const { notices } = message;
  const [first] = notices;
  if (notices.length > 1) return `Strongroom: ${notices.length} messages`;
  return headOf(first!);
}

function headOf({ type, condition, replacedBy }: Notice): string {
  if (replacedBy !== undefined) return `No longer: ${condition.title}`;
  const prefix = { repeated: 'Still: ', closed: 'Over: ' }[type as string] ?? '';
  return `${prefix}${condition.title}`;
}

/** Of a digest, each notice has its title. */
function linesOf(notice: Notice, { notices }: Message): string[] {
  const { message, hint } = notice.condition;
  const head = notices.length > 1 ? [headOf(notice)] : [];
  if (notice.type === 'closed') return [...head, closedLine(notice)];
  return [...head, ...message.split('\n'), hint];
}

/** What a digest says of the notices for which it has no room. */
function linesOfRest({ notices }: Message, shown: number): string[] {
  return notices.length > shown ? [`and ${notices.length - shown} more: see GET /api/overview`] : [];
}

function textOf(message: Message): string {
  return message.notices.map((notice) => linesOf(notice, message).join('\n')).join('\n\n');
}
