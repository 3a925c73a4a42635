import { effect, signal } from '@preact/signals';
import { keep, kept } from './kept.ts';

/** Now, as far as what is shown depends on it. */
export const now = signal(new Date());
setInterval(() => {
  if (!document.hidden) now.value = new Date();
}, 1000);

/** The time zone of all times: that of the reader, or UTC. */
export const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
export const ZONES = ['local', 'UTC'] as const;
export const zone = signal<(typeof ZONES)[number]>(kept('zone') === 'UTC' ? 'UTC' : 'local');
effect(() => keep('zone', zone.value));
