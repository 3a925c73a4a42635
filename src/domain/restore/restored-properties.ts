import type { AccessPolicy, ContainerProperties, PublicAccess } from '../run/container-properties.ts';

/** Who else may read or write a container or table. */
export interface Access {
  publicAccess?: PublicAccess;
  policies: AccessPolicy[];
}

export interface PropertiesDecision {
  /** The access to set; absent if nothing is to be set. */
  access?: Access;
  /** What the restore names, in words, by its code. */
  differences: { code: DifferenceCode; what: string[] }[];
}

export type DifferenceCode = 'access-not-restored' | 'access-refused' | 'properties-differ';

/** The most stored access policies that a container or table can have. */
const MOST_POLICIES = 5;

/**
 * Decides what a restore does with the properties of a container or table as it was backed up, `recorded`. `target` are
 * those of the one that is there. Access opens data to others, so it returns only if the request asked for it. Nothing
 * that the target has is overwritten: every difference that stays is named.
 */
export function decideProperties(
  recorded: ContainerProperties,
  target: ContainerProperties,
  restoresAccess: boolean,
): PropertiesDecision {
  const others = otherProperties(recorded, target);
  const lacking = inWords(lackingAccess(recorded, target));
  if (!restoresAccess) return named({ 'access-not-restored': lacking, 'properties-differ': others });
  // What is not known of the target would be overwritten.
  if (target.unread && lacking.length > 0) return named({ 'access-refused': lacking, 'properties-differ': others });
  const access = withLacking(recorded, target);
  const left = inWords(lackingAccess(recorded, access));
  const isMore = access.publicAccess !== target.publicAccess || access.policies.length > (target.policies ?? []).length;
  return { ...(isMore && { access }), ...named({ 'properties-differ': [...others, ...left] }) };
}

function named(all: Partial<Record<DifferenceCode, string[]>>): Pick<PropertiesDecision, 'differences'> {
  const differences = Object.entries(all).map(([code, what]) => ({ code: code as DifferenceCode, what }));
  return { differences: differences.filter(({ what }) => what.length > 0) };
}

/** What the target lacks of the access that was recorded. */
function lackingAccess(recorded: ContainerProperties, target: ContainerProperties): Access {
  const there = new Map((target.policies ?? []).map((policy) => [policy.id, policy]));
  const { publicAccess, policies = [] } = recorded;
  return {
    ...(publicAccess !== undefined && publicAccess !== target.publicAccess && { publicAccess }),
    policies: policies.filter((policy) => !isSamePolicy(policy, there.get(policy.id))),
  };
}

/** Access, as a message names it. */
export function inWords({ publicAccess, policies }: Access): string[] {
  const ids = policies.map(({ id }) => JSON.stringify(id)).join(', ');
  return [
    ...(publicAccess === undefined ? [] : [`public access ("${publicAccess}")`]),
    ...(policies.length === 0 ? [] : [`stored access ${policies.length === 1 ? 'policy' : 'policies'} ${ids}`]),
  ];
}

/** The access of the target, and of the one that was recorded what fits beside it. */
function withLacking(recorded: ContainerProperties, target: ContainerProperties): Access {
  const { policies: own = [] } = target;
  const ids = new Set(own.map(({ id }) => id));
  const lacking = (recorded.policies ?? []).filter(({ id }) => !ids.has(id));
  const publicAccess = target.publicAccess ?? recorded.publicAccess;
  return {
    ...(publicAccess !== undefined && { publicAccess }),
    policies: [...own, ...lacking.slice(0, Math.max(MOST_POLICIES - own.length, 0))],
  };
}

function isSamePolicy(one: AccessPolicy, other: AccessPolicy | undefined): boolean {
  return (
    other !== undefined &&
    one.start === other.start &&
    one.expiry === other.expiry &&
    one.permissions === other.permissions
  );
}

/** In what else the target differs, as far as both are known. */
function otherProperties(recorded: ContainerProperties, target: ContainerProperties): string[] {
  if ([recorded, target].some(({ unread }) => unread?.includes('properties'))) return [];
  const { encryptionScope = 'none' } = recorded;
  const scope = `default encryption scope (${JSON.stringify(encryptionScope)})`;
  return [
    ...(isSameMetadata(recorded.metadata, target.metadata) ? [] : ['metadata']),
    ...(recorded.encryptionScope === target.encryptionScope ? [] : [scope]),
    ...(recorded.immutabilityPolicy && !target.immutabilityPolicy ? ['immutability policy'] : []),
    ...(recorded.legalHold && !target.legalHold ? ['legal hold'] : []),
  ];
}

function isSameMetadata(one: Record<string, string> = {}, other: Record<string, string> = {}): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}
