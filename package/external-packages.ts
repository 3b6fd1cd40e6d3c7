import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Architecture, namesOf } from './architecture.ts'
import type { Tree } from './tree.ts'

interface Options {
  /** Where they go. */
  readonly folder: string
  readonly arch: Architecture
  readonly scratch: string
}

/**
 * `netlink` with the addon of one machine, and `node-gyp-build`, which finds that addon from its own place: neither
 * can be in a bundle. Gives their folders.
 */
export function copyExternalPackages(tree: Tree, { folder, arch, scratch }: Options): readonly string[] {
  const netlink = 'node_modules/netlink'
  const scripts = (readdirSync(join(tree.checkout, netlink, 'dist'), { recursive: true }) as string[])
    .filter((name) => name.endsWith('.js'))
    .map((name) => `dist/${name}`)
  for (const name of ['package.json', ...scripts]) tree.copy(`${netlink}/${name}`, `${folder}/netlink/${name}`)
  const addon = `prebuilds/linux-${arch}/node.napi.node`
  const stripped = join(scratch, 'node.napi.node')
  copyFileSync(join(tree.checkout, netlink, addon), stripped)
  strip(stripped, arch)
  tree.copyFrom(stripped, `${folder}/netlink/${addon}`)
  const finder = 'node_modules/node-gyp-build'
  for (const name of ['package.json', 'index.js', 'node-gyp-build.js']) {
    tree.copy(`${finder}/${name}`, `${folder}/node-gyp-build/${name}`)
  }
  return [netlink, finder]
}

/** Debian wants no symbols in a package. Without a `strip` for that machine the addon stays as it is. */
function strip(file: string, arch: Architecture): void {
  const names = [`${namesOf[arch].gnu}-strip`, ...(arch === process.arch ? ['strip'] : [])]
  const program = names.map((name) => `/usr/bin/${name}`).find((path) => existsSync(path))
  if (program !== undefined) execFileSync(program, ['--strip-unneeded', file])
  else process.stderr.write(`package: ${names[0]} of binutils is not there, so the addon keeps its symbols\n`)
}
