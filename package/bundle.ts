import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { build } from 'esbuild'
import type { Tree } from './tree.ts'

/** Loaded from node_modules beside the bundle, or not at all: a compiled addon; an optional driver; one that pg looks for. */
const EXTERNAL = ['netlink', 'oracledb', 'pg-native']

/** Packages of npm are written as CommonJS mostly, and ask for Node's own modules with `require`. */
const REQUIRE = `import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);`

/**
 * Puts the program into `folder`, in as many files as there are parts that are loaded on use: `status` reads one
 * of them. Gives the folders of the npm packages that are in it.
 */
export async function bundleProgram(tree: Tree, { folder, version }: { folder: string; version: string }) {
  const outdir = join(tree.root, folder)
  const inputs = await bundleCheckout(tree.checkout, outdir)
  // As the checkout has none of its own depth: it also tells Node that the files are modules.
  tree.text(`${folder}/package.json`, `${JSON.stringify({ name: 'ldirectord-ng', version, type: 'module' })}\n`)
  for (const path of tree.files().filter((each) => each.endsWith('.js'))) chmodSync(join(tree.root, path), 0o644)
  finishLauncher(join(outdir, 'ldirectord-ng.js'))
  return packagesIn(tree.checkout, inputs)
}

/** `OUTDIR/ldirectord-ng.js` and its parts, of what was built in the checkout. Gives the files that went in. */
export async function bundleCheckout(checkout: string, outdir: string): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: checkout,
    entryPoints: { 'ldirectord-ng': 'bin/ldirectord-ng', ...threads(checkout) },
    loader: { '': 'js' },
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: EXTERNAL,
    banner: { js: REQUIRE },
    // They stand in the copyright file, whole.
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  })
  return Object.keys(metafile.inputs)
}

/** Files that a thread begins with, which no import leads to; in the bundle they lie beside everything else. */
function threads(checkout: string): Record<string, string> {
  const built = ['dist/src', 'dist/checks']
  const files = built.flatMap((top) =>
    (readdirSync(join(checkout, top), { recursive: true }) as string[]).map((name) => join(top, name)),
  )
  return Object.fromEntries(
    files
      .filter((file) => file.endsWith('.js'))
      .flatMap((file) => {
        const starts = readFileSync(join(checkout, file), 'utf8').matchAll(
          /new URL\('\.\/([\w-]+)\.js', import\.meta\.url\)/g,
        )
        return [...starts].map(([, name = '']) => [name, join(dirname(file), `${name}.js`)])
      }),
  )
}

/** Debian's own Node, whatever else stands in somebody's PATH. */
function finishLauncher(path: string): void {
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^#!.*\n/, '#!/usr/bin/node\n'))
  chmodSync(path, 0o755)
}

/** `node_modules/a/node_modules/b/lib/c.js` is of the package in `node_modules/a/node_modules/b`. */
function packagesIn(checkout: string, inputs: readonly string[]): readonly string[] {
  const found = new Set<string>()
  for (const input of inputs.filter((path) => path.includes('node_modules/'))) {
    let folder = dirname(input)
    while (!isPackage(join(checkout, folder))) folder = dirname(folder)
    found.add(folder)
  }
  return [...found].sort()
}

/** Some packages have a nameless package.json deeper down, for the kind of module. */
function isPackage(folder: string): boolean {
  const file = join(folder, 'package.json')
  return existsSync(file) && typeof (JSON.parse(readFileSync(file, 'utf8')) as { name?: unknown }).name === 'string'
}
