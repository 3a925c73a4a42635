#!/usr/bin/env node
// Checks a vault without Strongroom: node tools/check-vault/main.mjs --help

import { parseArgs } from 'node:util';
import { adviceOn, adviceOnForm } from './advice.mjs';
import { azureVault } from './azure-vault.mjs';
import { checkVault } from './check-vault.mjs';

const HELP = `Checks a vault of Strongroom against the chain of a job. Reads, and writes nothing.

Usage: node tools/check-vault/main.mjs --job NAME [options]

  --job NAME            the job whose chain to check
  --vault SETTING       the environment variable with the connection string of the vault, or with the address of its
                        blob service with a SAS that may read and list (default: VAULT)
  --head NUMBER:SHA256  a head of the chain that you kept elsewhere; without one, a writer of the vault who rewrote the
                        whole chain goes unnoticed
  --content             also look for every blob, and read those whose SHA-256 a deep verification has recorded
  --help                print this help

A remark is a hold or a safety brake without a record: a process that died may have left it, or someone else set it. It
keeps a restore point from being deleted, and takes nothing from it.

Exit codes: 0 nothing is wrong, 1 something is, 2 the check could not be made.
`;

function optionsOf(args) {
  const { values } = parseArgs({
    args,
    options: {
      job: { type: 'string' },
      vault: { type: 'string', default: 'VAULT' },
      head: { type: 'string' },
      content: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { job, vault, head, content, help } = values;
  if (help) return { help };
  if (!/^[a-z0-9-]+$/i.test(job ?? '')) throw new Error('Name a job: --job nightly');
  const address = process.env[vault];
  if (!address) throw new Error(`The environment variable ${vault} is not set: it has the address of the vault`);
  const [, number, sha256] = /^(\d{1,10}):([0-9a-f]{64})$/i.exec(head ?? '') ?? [];
  if (head !== undefined && sha256 === undefined)
    throw new Error('A head is a number and 64 hex digits: --head 17:5f70…');
  const kept = sha256 && { number: Number(number), sha256: sha256.toLowerCase() };
  return { job, setting: vault, address, content, ...(kept && { head: kept }) };
}

async function main() {
  const { help, setting, address, ...options } = optionsOf(process.argv.slice(2));
  if (help) {
    process.stdout.write(HELP);
    return 0;
  }
  const vault = connected(address, setting);
  const { findings, remarks, head, records, restorePoints, parts, files, blobs } = await checkVault(
    vault,
    options,
  ).catch((error) => {
    throw new Error(adviceOn(error, setting));
  });
  const write = (line) => process.stdout.write(`${line}\n`);
  for (const { what, where, how } of findings) write(`${what.padEnd(9)} ${quoted(where)}: ${quoted(how)}`);
  for (const { where, how } of remarks) write(`remark    ${quoted(where)}: ${quoted(how)}`);
  write(`Checked: records ${records}, restore points ${restorePoints}, parts ${parts}, files of tables ${files}`);
  if (blobs) write(`Found: blobs ${blobs.held}; read, because their SHA-256 is on record: ${blobs.read}`);
  if (blobs?.archived) write(`Not read, in the archive tier: ${blobs.archived}`);
  if (head) write(`Head ${head.number}:${head.sha256}`);
  write(findings.length > 0 ? `Wrong: ${findings.length}` : 'Nothing is wrong');
  return findings.length > 0 ? 1 : 0;
}

function connected(address, setting) {
  try {
    return azureVault(address);
  } catch {
    throw new Error(adviceOnForm(setting));
  }
}

/** Names come from the vault: nothing of them may control the terminal. */
function quoted(text) {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (char) => `\\u{${char.codePointAt(0).toString(16)}}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  // A URL in a message may have a SAS.
  process.stderr.write(`${String(error.message).replaceAll(/\?[^\s'"]*/g, '?…')}\n`);
  process.exitCode = 2;
}
