import type { Day } from '../../../ui/model/strip.ts';

export const DAY: Day = { day: '2026-11-27', worst: 'succeeded', runs: 1, missed: 0 };
