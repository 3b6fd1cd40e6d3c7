import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Tree } from './tree.ts'

export interface ControlFile {
  readonly name: string
  readonly text: string
  readonly mode: number
}

const SCRIPTS = ['postinst', 'prerm', 'postrm']

/**
 * Node brings libstdc++ and libc along; they are named because the addon of `netlink` is linked with them. The address
 * of whoever builds comes from Debian's own variables.
 */
const DEPENDS =
  'nodejs (>= 20.19), libc6 (>= 2.17), libgcc-s1 (>= 3.0), libstdc++6 (>= 5), init-system-helpers (>= 1.54~)'

const DESCRIPTION = `Linux Director: keeps the kernel's IPVS table right
 ldirectord-ng watches the real servers of a Linux Virtual Server with checks
 of their services and takes those that fail out of the kernel's IPVS table
 until they answer again. It reads the ldirectord.cf of Perl ldirectord as it
 is, and gives the log lines, exit codes and process handling that scripts and
 cluster managers know.
 .
 Units for systemd, a resource agent for Pacemaker (ocf:heartbeat:ldirectord-ng)
 and completion for bash are included. The check of Oracle databases needs the
 npm package oracledb, which is not.`

export const maintainer = (): string => {
  const { DEBFULLNAME = 'ldirectord-ng developers', DEBEMAIL = 'developers@ldirectord-ng.invalid' } = process.env
  return DEBEMAIL.includes('<') ? DEBEMAIL : `${DEBFULLNAME} <${DEBEMAIL}>`
}

/** What dpkg is told of the package: the files of DEBIAN/. */
export function controlFiles(tree: Tree, about: { version: string; architecture: string }): readonly ControlFile[] {
  const files = tree.files()
  const conffiles = files.filter((path) => path.startsWith('etc/')).map((path) => `/${path}\n`)
  return [
    { name: 'control', text: controlText({ ...about, kibibytes: installedSize(tree, files) }), mode: 0o644 },
    { name: 'conffiles', text: conffiles.join(''), mode: 0o644 },
    { name: 'md5sums', text: sums(tree, files), mode: 0o644 },
    ...SCRIPTS.map((name) => ({ name, text: tree.read(`package/debian/${name}`), mode: 0o755 })),
  ]
}

function controlText(about: { version: string; architecture: string; kibibytes: number }): string {
  return [
    'Package: ldirectord-ng',
    `Version: ${about.version}`,
    `Architecture: ${about.architecture}`,
    `Maintainer: ${maintainer()}`,
    `Installed-Size: ${about.kibibytes}`,
    `Depends: ${DEPENDS}`,
    'Recommends: iputils-ping, kmod, logrotate (>= 3.21)',
    'Suggests: ipvsadm, default-mta | mail-transport-agent, pacemaker, resource-agents',
    'Section: admin',
    'Priority: optional',
    `Description: ${DESCRIPTION}`,
    '',
  ].join('\n')
}

/** Each file in whole kibibytes, as dpkg-gencontrol counts. */
function installedSize(tree: Tree, files: readonly string[]): number {
  return files.reduce((sum, path) => sum + Math.ceil(statSync(join(tree.root, path)).size / 1024), 0)
}

function sums(tree: Tree, files: readonly string[]): string {
  return files
    .filter((path) => !path.startsWith('etc/'))
    .map(
      (path) =>
        `${createHash('md5')
          .update(readFileSync(join(tree.root, path)))
          .digest('hex')}  ${path}\n`,
    )
    .join('')
}
