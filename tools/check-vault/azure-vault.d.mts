import type { Vault } from './check-vault.mjs';

export function azureVault(address: string): Vault;
