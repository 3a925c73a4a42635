/** A daily schedule that is due: its timer starts a run when it fires within the next hour. */
export function dueNow(): string {
  const now = new Date();
  return `0 ${now.getUTCMinutes()} ${now.getUTCHours()} * * *`;
}
