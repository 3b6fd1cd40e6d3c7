import { execFileSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Architecture, namesOf } from './architecture.ts'
import { bundleProgram } from './bundle.ts'
import { completion } from './completion.ts'
import { controlFiles } from './control.ts'
import { copyright } from './copyright.ts'
import { debianChangelog } from './debian-changelog.ts'
import { copyExternalPackages } from './external-packages.ts'
import { configPage } from './man/config-page.ts'
import { programPage } from './man/program-page.ts'
import { createTree, type Tree } from './tree.ts'

export interface BuildOptions {
  /** The top of the checkout, with its node_modules. */
  readonly checkout: string
  /** An empty folder; the caller removes it. */
  readonly scratch: string
  /** Where the package goes. */
  readonly out: string
  readonly arch: Architecture
  /** Upstream's, without Debian's revision. */
  readonly version: string
}

/** Where the program lies; /usr/sbin/ldirectord-ng leads there. */
const LIBRARY = 'usr/lib/ldirectord-ng'
const DOC = 'usr/share/doc/ldirectord-ng'
/** Below a first revision of Debian's own. */
const REVISION = '0ng1'

/** Builds the package of a compiled checkout and gives its path. The same sources give the same bytes. */
export async function buildPackage({ checkout, scratch, out, arch, version }: BuildOptions): Promise<string> {
  const at = sourceDate(checkout)
  const tree = createTree(join(scratch, 'tree'), { checkout, at })
  const debianVersion = `${version}-${REVISION}`
  const bundled = await bundleProgram(tree, { folder: LIBRARY, version })
  const external = copyExternalPackages(tree, { folder: `${LIBRARY}/node_modules`, arch, scratch })
  addIntegration(tree)
  addDocuments(tree, { version, at })
  tree.text(`${DOC}/copyright`, copyright(checkout, [...bundled, ...external]))
  tree.zipped(`${DOC}/changelog.Debian.gz`, debianChangelog(checkout, { version: debianVersion, at }))
  const architecture = namesOf[arch].debian
  for (const { name, text, mode } of controlFiles(tree, { version: debianVersion, architecture })) {
    tree.text(`DEBIAN/${name}`, text, mode)
  }
  tree.seal()
  mkdirSync(out, { recursive: true })
  const file = join(out, `ldirectord-ng_${debianVersion}_${architecture}.deb`)
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree.root, file], {
    // One thread: how xz cuts its blocks would otherwise depend on the number of processors.
    env: { ...process.env, SOURCE_DATE_EPOCH: String(at), DPKG_DEB_THREADS_MAX: '1', LC_ALL: 'C.UTF-8' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return file
}

/** What the system around the program gets: units, the cluster's agent, completion, rotation of the log. */
function addIntegration(tree: Tree): void {
  tree.link('usr/sbin/ldirectord-ng', '../lib/ldirectord-ng/ldirectord-ng.js')
  tree.copy('etc/demo.cf', `${LIBRARY}/etc/demo.cf`)
  for (const unit of ['ldirectord-ng.service', 'ldirectord-ng@.service']) {
    tree.copy(`systemd/${unit}`, `usr/lib/systemd/system/${unit}`)
  }
  tree.copy('etc/ocf/ldirectord-ng', 'usr/lib/ocf/resource.d/heartbeat/ldirectord-ng', 0o755)
  // Its name stands before Perl ldirectord's: see the file.
  tree.copy('etc/logrotate', 'etc/logrotate.d/ipvs-ldirectord-ng')
  tree.text('usr/share/bash-completion/completions/ldirectord-ng', completion())
}

function addDocuments(tree: Tree, { version, at }: { version: string; at: number }): void {
  const date = new Date(at * 1000).toISOString().slice(0, 10)
  tree.zipped('usr/share/man/man8/ldirectord-ng.8.gz', programPage({ version, date }))
  tree.zipped('usr/share/man/man5/ldirectord.cf.5.gz', configPage({ version, date }))
  tree.copy('etc/ldirectord.cf', `${DOC}/examples/ldirectord.cf`)
  tree.copy('README.md', `${DOC}/README.md`)
  for (const page of ['operations', 'configuration', 'services', 'differences']) {
    tree.copy(`docs/${page}.md`, `${DOC}/docs/${page}.md`)
  }
  tree.zipped(`${DOC}/changelog.gz`, tree.read('CHANGELOG.md'))
}

/** Seconds of the epoch that every file gets: SOURCE_DATE_EPOCH, else the last commit's, else the changelog's. */
function sourceDate(checkout: string): number {
  const given = Number(process.env['SOURCE_DATE_EPOCH'])
  if (Number.isSafeInteger(given) && given > 0) return given
  try {
    const words = ['-C', checkout, 'log', '-1', '--format=%ct']
    return Number(execFileSync('git', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim())
  } catch {
    return Math.floor(statSync(join(checkout, 'CHANGELOG.md')).mtimeMs / 1000)
  }
}
