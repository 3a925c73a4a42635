import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The version that wrote the snapshots. Another one may word them differently. */
export const VERSION = '0.49.2';
const PACKAGE = 'Azure.Bicep.CommandLine.linux-x64';
/** The `contentHash` of the package in this version, so that no other binary can be run under its name. */
const CONTENT_HASH = 'z5p/I6NTOJvoQaJj0Rk3bTglGxIAVK920PiwYjrGuAl3V4wyr7yPjd3BYjRtVPBcdcrW1BtS33tSlWzB76MtNw==';

/** Restores the package and nothing else: no reference assemblies. */
const PROJECT = `<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
  </PropertyGroup>
  <ItemGroup><PackageDownload Include="${PACKAGE}" Version="[${VERSION}]" /></ItemGroup>
</Project>
`;

/** Nothing in it is under version control. */
export const folder = fileURLToPath(new URL('../../.node/bicep/', import.meta.url));
const place = join(folder, PACKAGE.toLowerCase(), VERSION);

/** The binary runs without the ICU libraries, which a small Linux lacks. */
export const environment = { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: '1', DOTNET_TieredPGO: '0' };

export interface Compiler {
  path: string;
  version: string;
}

/**
 * A Bicep compiler: the NuGet package where a .NET SDK can restore it, since its version is known; otherwise `bicep` on
 * the PATH, or that of `az bicep install`. Undefined if there is none.
 */
export function findCompiler(): Compiler | undefined {
  const azureCli = join(homedir(), '.azure', 'bin', process.platform === 'win32' ? 'bicep.exe' : 'bicep');
  for (const path of [packaged(), 'bicep', azureCli]) {
    const version = path === undefined ? undefined : versionOf(path);
    if (version !== undefined) return { path: path!, version };
  }
  return undefined;
}

/** The binary of the package, in .node/bicep/. It is restored once, and only where there is a .NET SDK. */
function packaged(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  // NuGet writes this file last.
  const metadata = join(place, '.nupkg.metadata');
  if (!existsSync(metadata)) restore();
  if (!existsSync(metadata)) return undefined;
  if (JSON.parse(readFileSync(metadata, 'utf8')).contentHash !== CONTENT_HASH) {
    rmSync(place, { recursive: true });
    console.error(`The content of ${PACKAGE} ${VERSION} is not what it was. It has been removed from .node/bicep/.`);
    return undefined;
  }
  const binary = join(place, 'tools', 'bicep');
  chmodSync(binary, 0o755);
  return binary;
}

function restore(): void {
  if (answer('dotnet', ['--list-sdks']).trim() === '') return;
  console.error(`Fetching the Bicep compiler ${VERSION} into .node/bicep/ (from NuGet, this folder only) …`);
  mkdirSync(folder, { recursive: true });
  const project = join(folder, 'compiler.csproj');
  writeFileSync(project, PROJECT);
  const args = ['restore', project, '--packages', folder, '--verbosity', 'quiet'];
  spawnSync('dotnet', args, { timeout: 60_000, stdio: 'ignore', env: environment });
  // The archive is as large as the binary, and nothing reads it again.
  rmSync(join(place, `${PACKAGE.toLowerCase()}.${VERSION}.nupkg`), { force: true });
}

function versionOf(path: string): string | undefined {
  return /version (\d+\.\d+\.\d+)/.exec(answer(path, ['--version']))?.[1];
}

/** What a command prints; nothing if it cannot be run. */
function answer(command: string, args: string[]): string {
  try {
    return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env: environment });
  } catch {
    return '';
  }
}
