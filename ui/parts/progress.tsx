/** How far something is: 0 to 1, or null if that is not known. */
export function Progress({ fraction, label }: { fraction: number | null; label: string }) {
  const percent = fraction === null ? null : Math.floor(fraction * 100);
  return (
    <span
      class={`progress${percent === null ? ' endless' : ''}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent ?? undefined}
    >
      <span style={{ width: percent === null ? undefined : `${percent}%` }} />
    </span>
  );
}
