import type { Message, Notice } from '#domain/watch/notices.ts';

/**
 * The message in characters that only show themselves: names come from users, and must not break a line or a header, or
 * change the direction of text.
 */
export function plainMessage(message: Message): Message {
  return { ...message, notices: message.notices.map(plainNotice) };
}

function plainNotice(notice: Notice): Notice {
  const { title, message, hint } = notice.condition;
  // Only a summary has lines, and no names of users in them.
  const lines = notice.type === 'summary' ? message.split('\n').map(plain).join('\n') : plain(message);
  const { replacedBy } = notice;
  const next = replacedBy === undefined ? {} : { replacedBy: plain(replacedBy) };
  return {
    ...notice,
    ...next,
    condition: { ...notice.condition, title: plain(title), message: lines, hint: plain(hint) },
  };
}

function plain(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
}
