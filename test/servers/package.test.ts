import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { checks } from '../../checks/index.ts'
import { makeRegistry } from '../../src/check/registry.ts'
import { processFlags, processVerbs } from '../../src/cli/arguments.ts'
import { listVerbs } from '../../src/cli/verb-arguments.ts'
import { listDirectives } from '../../src/config/directives/list.ts'
import { skipBecause } from '../tools/skip.ts'

const execute = promisify(execFile)

/** Builds as `npm run package` does after its compiler. */
async function build(out: string, words: readonly string[] = [], umask = '022'): Promise<string> {
  const script = `umask ${umask}; exec "$0" "$@"`
  const args = [process.execPath, resolve('dist/package/main.js'), '--out', out, ...words]
  const { stdout } = await execute('sh', ['-c', script, ...args], { env: { ...process.env, NODE_V8_COVERAGE: '' } })
  return stdout.trim()
}

/** Runs a program of Debian's that must have nothing to say. */
async function saysNothing(program: string, ...args: readonly string[]): Promise<void> {
  const { stdout, stderr } = await execute(program, args).catch((error: { stdout: string; stderr: string }) => error)
  assert.equal(stdout + stderr, '', `${program} ${args.join(' ')}`)
}

describe('the Debian package', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'ldng-deb-'))
  const tree = join(folder, 'tree')
  let file: string

  before(async function () {
    const missing = ['dpkg-deb', 'lintian', 'mandoc', 'man', 'strip'].filter((name) => !existsSync(`/usr/bin/${name}`))
    if (missing.length > 0) skipBecause(this, `not installed: ${missing.join(', ')}`)
    file = await build(join(folder, 'one'))
    await execute('dpkg-deb', ['-x', file, tree])
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  it('is for this machine, and the same to the byte when it is built again elsewhere', async () => {
    const architecture = execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()
    assert.match(file, new RegExp(`/ldirectord-ng_[^_]+_${architecture}\\.deb$`))
    const again = await build(join(folder, 'again'), [], '077')
    const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')
    assert.equal(sum(again), sum(file))
  })

  it('gives lintian nothing to say', () => saysNothing('lintian', '--allow-root', '--fail-on', 'none', file))

  it('can be built for the other machine, with that one addon in it', async () => {
    const [arch, name, machine] = process.arch === 'x64' ? ['arm64', 'arm64', 0xb7] : ['x64', 'amd64', 0x3e]
    const other = await build(folder, ['--arch', arch])
    assert.ok(other.endsWith(`_${name}.deb`))
    const unpacked = join(folder, 'other')
    await execute('dpkg-deb', ['-x', other, unpacked])
    const prebuilds = join(unpacked, 'usr/lib/ldirectord-ng/node_modules/netlink/prebuilds')
    assert.deepEqual(readdirSync(prebuilds), [`linux-${arch}`])
    assert.equal(readFileSync(join(prebuilds, `linux-${arch}/node.napi.node`)).readUInt16LE(18), machine)
  })

  it('refuses a machine for which there is no addon', async () => {
    await assert.rejects(build(folder, ['--arch', 'mips']), { code: 64, stderr: /no package for mips/ })
  })

  it('names the licence of everything that is in it', () => {
    const text = readFileSync(join(tree, 'usr/share/doc/ldirectord-ng/copyright'), 'utf8')
    for (const name of ['commander', 'mysql2', 'netlink', 'node-gyp-build', 'undici', 'winston']) {
      assert.match(text, new RegExp(`^  ${name} \\d+\\.\\S+ \\(MIT\\)$`, 'm'))
    }
    assert.doesNotMatch(text, /\(unknown\)/)
  })
})

describe('the manual pages', function () {
  this.timeout(120_000)
  const folder = mkdtempSync(join(tmpdir(), 'ldng-man-'))
  const pages = ['man8/ldirectord-ng.8', 'man5/ldirectord.cf.5'] as const
  let texts: Readonly<Record<(typeof pages)[number], string>>
  const roff = (page: string): string => join(folder, page.slice(5))

  before(async function () {
    if (!existsSync('/usr/bin/mandoc')) skipBecause(this, 'there is no mandoc')
    const file = await build(folder)
    const tree = join(folder, 'tree')
    await execute('dpkg-deb', ['-x', file, tree])
    for (const page of pages) {
      await execute('sh', ['-c', 'zcat "$0" >"$1"', join(tree, `usr/share/man/${page}.gz`), roff(page)])
    }
    const text = async (page: string): Promise<string> => {
      const { stdout } = await execute('mandoc', ['-Tascii', '-Owidth=400', roff(page)])
      // Bold is a letter over itself.
      return stdout
        .split('\b')
        .map((piece, n, all) => (n + 1 < all.length ? piece.slice(0, -1) : piece))
        .join('')
    }
    texts = { [pages[0]]: await text(pages[0]), [pages[1]]: await text(pages[1]) } as typeof texts
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  for (const page of pages) {
    it(`${page} is clean to mandoc and to groff`, async () => {
      await saysNothing('mandoc', '-Tlint', roff(page))
      const { stderr } = await execute('man', ['--warnings', '-l', '-Tutf8', '-Z', roff(page)])
      assert.equal(stderr, '')
    })
  }

  it('tell every command, verb and option', () => {
    const text = texts['man8/ldirectord-ng.8']
    for (const verb of processVerbs) assert.match(text, new RegExp(`^ +${verb}( |$)`, 'm'))
    for (const [verb, flag] of Object.entries(processFlags)) assert.ok(text.includes(` ${verb} [${flag}]`), flag)
    for (const { name, options } of listVerbs()) {
      const own = text.slice(text.indexOf(`ldirectord-ng ${name}`, text.indexOf('\nVERBS')))
      for (const { form } of options) assert.ok(own.includes(form), `${name} ${form}`)
    }
  })

  it('tell every directive with its default, and every check', () => {
    const text = texts['man5/ldirectord.cf.5'].replace(/\s+/g, ' ')
    for (const { name, fallback } of listDirectives(makeRegistry(checks))) {
      assert.ok(text.includes(` ${name} `), name)
      if (fallback !== '') assert.ok(text.includes(`Default: ${fallback.replaceAll('`', '')}`), `${name}: ${fallback}`)
    }
    for (const { name } of checks) assert.match(text, new RegExp(` (service|checktype) = ${name} `))
  })
})
