import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { architectures, isArchitecture } from './architecture.ts'
import { buildPackage } from './build.ts'

// `npm run package [-- --arch arm64] [--out FOLDER] [--version VERSION]`: builds the Debian package of this checkout and
// says where it is. CONTRIBUTING.md tells the rest.

const { values } = parseArgs({
  options: {
    arch: { type: 'string', default: process.arch },
    out: { type: 'string', default: 'build' },
    version: { type: 'string', default: versionOfPackage() },
  },
})

function versionOfPackage(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  return version
}

async function main(): Promise<number> {
  const { arch, out, version } = values
  if (!isArchitecture(arch)) {
    process.stderr.write(`no package for ${arch}: one of ${architectures.join(', ')}\n`)
    return 64
  }
  if (!/^\d[0-9A-Za-z.+~]*$/.test(version)) {
    process.stderr.write(`${version} is not a version\n`)
    return 64
  }
  const scratch = mkdtempSync(join(tmpdir(), 'ldirectord-ng-package-'))
  try {
    const file = await buildPackage({ checkout: process.cwd(), scratch, out: resolve(out), arch, version })
    process.stdout.write(`${file}\n`)
    return 0
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

process.exitCode = await main()
