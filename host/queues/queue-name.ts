const POISON = '-poison';

export function isQueueName(name: string): boolean {
  return /^[a-z\d](?:-?[a-z\d]){2,62}$/.test(name) && name.length <= 63;
}

export function isPoisonQueue(name: string): boolean {
  return name.endsWith(POISON);
}

/** Name of the poison queue; undefined for a poison queue itself, and for a queue whose name is too long. */
export function poisonQueueName(name: string): string | undefined {
  return isPoisonQueue(name) || !isQueueName(name + POISON) ? undefined : name + POISON;
}
