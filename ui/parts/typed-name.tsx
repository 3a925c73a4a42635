interface TypedNameProps {
  /** What has to be typed, such as the name of the job. */
  name: string;
  /** A sentence. */
  reason?: string;
  value: string;
  onInput: (text: string) => void;
}

/** The name that one types before something is deleted or replaced: no click by mistake does it. */
export function TypedName({ name, reason, value, onInput }: TypedNameProps) {
  return (
    <label class="field narrow">
      <span>
        {reason !== undefined && `${reason} `}Type <code>{name}</code> to confirm
      </span>
      <input
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
        autocomplete="off"
        spellcheck={false}
      />
    </label>
  );
}
