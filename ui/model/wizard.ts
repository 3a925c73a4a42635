/** What a reader chooses of a new job. All texts, as they are in the form. */
export interface Choices {
  name: string;
  source: string;
  /** Names and patterns, divided by commas or line breaks. */
  containers: string;
  tables: string;
  vault: string;
  template: string;
  frequency: Frequency;
  /** `23:30`. */
  time: string;
  timeZone: string;
  keepDaily: string;
  keepWeekly: string;
  keepMonthly: string;
  keepYearly: string;
  verify: '' | 'quick' | 'deep';
}

export const FREQUENCIES = ['daily', 'weekdays', 'weekly', 'hourly', 'never'] as const;
export type Frequency = (typeof FREQUENCIES)[number];

export const FREQUENCY_WORDS: Readonly<Record<Frequency, string>> = {
  daily: 'every day',
  weekdays: 'Monday to Friday',
  weekly: 'every Sunday',
  hourly: 'every hour',
  never: 'only when someone starts it',
};

export function firstChoices(timeZone: string): Choices {
  return {
    ...{
      name: 'nightly',
      source: 'SOURCE',
      containers: '*',
      tables: '',
      vault: 'VAULT',
      template: '{container}backup',
    },
    ...{ frequency: 'daily', time: '23:30', timeZone },
    ...{ keepDaily: '14', keepWeekly: '8', keepMonthly: '12', keepYearly: '3', verify: 'quick' },
  };
}

/** Six fields: second, minute, hour, day, month, day of the week. Undefined without a schedule. */
export function scheduleOf({ frequency, time }: Pick<Choices, 'frequency' | 'time'>): string | undefined {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const of = { daily: '* * *', weekdays: '* * 1-5', weekly: '* * 0' };
  if (frequency === 'never') return undefined;
  if (frequency === 'hourly') return `0 ${minute} * * * *`;
  return `0 ${minute} ${hour} ${of[frequency]}`;
}

/** The file, with nothing in it that is a default. */
export function configurationOf(choices: Choices): object {
  const { name, source, vault, template, timeZone, verify } = choices;
  const containers = namesIn(choices.containers);
  const tables = namesIn(choices.tables);
  const schedule = scheduleOf(choices);
  const retention = Object.fromEntries(
    (['keepDaily', 'keepWeekly', 'keepMonthly', 'keepYearly'] as const).flatMap((rule) => {
      const count = Number(choices[rule]);
      return choices[rule].trim() === '' || !Number.isInteger(count) ? [] : [[rule, count]];
    }),
  );
  return {
    $schema: './strongroom.schema.json',
    jobs: [
      {
        name: name.trim(),
        ...(schedule !== undefined && { schedule }),
        ...(timeZone !== '' && timeZone !== 'UTC' && { timeZone }),
        source: {
          account: source.trim(),
          ...(containers.length > 0 && { containers }),
          ...(tables.length > 0 && { tables }),
        },
        destination: { account: vault.trim(), ...(containers.length > 0 && { container: template.trim() }) },
        ...(Object.keys(retention).length > 0 && { retention }),
        ...(verify !== '' && { verify: { afterRun: verify } }),
      },
    ],
  };
}

/**
 * Which of the containers the patterns choose, where `*` stands for any characters. It never stands for those of the
 * system or of Strongroom.
 */
export function chosen(patterns: string, names: readonly string[]): { name: string; isChosen: boolean }[] {
  const given = namesIn(patterns);
  return names.map((name) => ({ name, isChosen: given.some((pattern) => matches(pattern, name)) }));
}

function matches(pattern: string, name: string): boolean {
  if (!pattern.includes('*')) return pattern === name;
  if (name.startsWith('$') || name === 'strongroom') return false;
  return new RegExp(`^${pattern.split('*').map(escaped).join('.*')}$`).test(name);
}

function escaped(text: string): string {
  return text.replace(/[^a-z0-9-]/gi, '\\$&');
}

function namesIn(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** The text of the file. Lists of short texts stay on one line, as a person would write them. */
export function fileText(configuration: object): string {
  const text = JSON.stringify(configuration, undefined, 2);
  const isShort = (list: string) => list.length < 80;
  const onOneLine = text.replace(/\[\n\s+("[^[\]{}]*?")\n\s+\]/g, (whole, inner: string) => {
    const list = `[${inner.replace(/,\n\s+/g, ', ')}]`;
    return isShort(list) ? list : whole;
  });
  return `${onOneLine}\n`;
}
