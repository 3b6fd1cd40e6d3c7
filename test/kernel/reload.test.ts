import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cli, replaceConfig, tableBecomes, unindent, writeConfig } from './lab/director.ts'
import { assertOneLostAtMost, assertUnbroken, createPool, type Pool } from './lab/pool.ts'

interface Wish {
  readonly scheduler?: string
  /** `address:port` and weight. */
  readonly reals?: readonly (readonly [string, number])[]
  readonly global?: string
}

const [r1, r2, r3] = ['10.2.1.2:80', '10.2.2.2:80', '10.2.1.2:8080'] as const
const usual = [
  [r1, 1],
  [r2, 1],
] as const

const file = ({ scheduler = 'rr', reals = usual, global = '' }: Wish = {}): string =>
  `
  checktimeout=3
  checkinterval=1
  ${global}
  virtual=10.1.0.100:80
${reals.map(([real, weight]) => `      real=${real} masq ${weight}\n`).join('')}
      service=http
      scheduler=${scheduler}
`.replaceAll('\n\n', '\n')

const tableOf = ({ scheduler = 'rr', reals = usual }: Wish = {}): string =>
  [
    `-A -t 10.1.0.100:80 -s ${scheduler}`,
    ...reals.map(([real, weight]) => `-a -t 10.1.0.100:80 -r ${real} -m -w ${weight}`),
  ].join('\n')

describe('A reload on a real table', function () {
  this.timeout(60_000)
  let lab: Pool
  before(async () => {
    lab = await createPool()
  })
  afterEach(() => lab.reset())
  after(() => lab.close())

  it('by HUP, five times, loses no request: a weight, a scheduler, a real server drained and replaced', async () => {
    await lab.rise('r3')
    const config = writeConfig(file())
    const daemon = lab.start(config)
    await tableBecomes(lab.director, tableOf(), { daemon })
    const watch = await lab.watch()
    const wishes: readonly Wish[] = [
      { reals: [[r1, 3], usual[1]], scheduler: 'rr' },
      { reals: [[r1, 3], usual[1]], scheduler: 'wlc' },
      { reals: [[r1, 0], usual[1]], scheduler: 'wlc' },
      { reals: [usual[1], [r3, 1]], scheduler: 'wlc' },
      { reals: [usual[1], [r3, 2]], scheduler: 'rr' },
    ]
    for (const wish of wishes) {
      replaceConfig(config, file(wish))
      daemon.signal('SIGHUP')
      await tableBecomes(lab.director, tableOf(wish), { daemon })
      await watch.gets('r2')
    }
    await watch.gets('r3')
    assertUnbroken(await watch.end())
    assert.equal(daemon.log().match(/Reloading Linux Director Daemon config on signal/g)?.length, 5)
    assert.doesNotMatch(daemon.log().split('on signal')[1] ?? '', /Added virtual|Purged virtual/)
  })

  it('that would cut off every server which answers is refused with the plan, and nobody notices', async () => {
    const config = writeConfig(file())
    const daemon = lab.start(config)
    await tableBecomes(lab.director, tableOf(), { daemon })
    const watch = await lab.watch()
    replaceConfig(config, file({ reals: [[r3, 1]] }))
    daemon.signal('SIGHUP')
    await daemon.says(/would do ipvsadm -d -t 10\.1\.0\.100:80 -r 10\.2\.2\.2:80\n.*Keeping the running configuration/)
    await watch.gets('r1')
    replaceConfig(config, 'checkinterval=1\n')
    daemon.mark()
    daemon.signal('SIGHUP')
    await daemon.says(/no virtual service is named, and 1 is served\n.*ipvsadm -D -t 10\.1\.0\.100:80\n.*Keeping/)
    await watch.gets('r2')
    const watched = await watch.end()
    assertUnbroken(watched)
    assert.deepEqual(watched.tables, [tableOf()])
  })

  it('to an entirely new pool keeps the old one until the new one has answered', async () => {
    await lab.rise('r3')
    const config = writeConfig(file())
    const daemon = lab.start(config)
    await tableBecomes(lab.director, tableOf(), { daemon })
    const watch = await lab.watch()
    const next: Wish = { reals: [[r3, 1]], global: 'reloadguard=no' }
    replaceConfig(config, file(next))
    daemon.signal('SIGHUP')
    await tableBecomes(lab.director, tableOf(next), { daemon })
    await watch.gets('r3')
    assertOneLostAtMost(await watch.end())
  })

  it('takes away a virtual service that left the file, and leaves the one of others', async () => {
    const foreign = ['-A -t 10.9.9.9:80 -s lc', '-a -t 10.9.9.9:80 -r 10.2.1.2:80 -m -w 3']
    for (const line of foreign) await lab.director.must('ipvsadm', ...line.split(' '))
    const more = `${file()}  virtual=9\n      real=10.2.2.2 masq\n      checktype=on\n`
    const config = writeConfig(more)
    const daemon = lab.start(config)
    const mark = '-A -f 9 -s wrr\n-a -f 9 -r 10.2.2.2:0 -m -w 1'
    await tableBecomes(lab.director, [tableOf(), mark, ...foreign].join('\n'), { daemon })
    replaceConfig(config, file())
    daemon.signal('SIGHUP')
    await tableBecomes(lab.director, [tableOf(), ...foreign].join('\n'), { daemon })
    assert.match(daemon.log(), /Purged virtual server \(start\): 9\n/)
  })

  it('by autoreload sees a new file take the name, keeps what runs over a bad one and takes the next good one', async () => {
    const global = 'autoreload=yes'
    const config = writeConfig(file({ global }))
    const daemon = lab.start(config)
    await tableBecomes(lab.director, tableOf(), { daemon })
    const watch = await lab.watch()
    const heavier: Wish = { reals: [[r1, 2], usual[1]], global }
    replaceConfig(config, file(heavier))
    await tableBecomes(lab.director, tableOf(heavier), { daemon })
    assert.match(daemon.log(), /has changed on disk\n.* - reread new configuration\n/)
    daemon.mark()
    replaceConfig(config, file({ reals: [[r3, 9]], global: 'checkinterval=often' }))
    await daemon.says(/Error \[\d+\] reading file \S+ at line 3: .*\n.*Keeping the running configuration/)
    assert.equal((await cli(lab.director, config, 'reload')).code, 2)
    assert.equal((await lab.director.table()).join('\n'), tableOf(heavier))
    const good: Wish = { scheduler: 'wrr', global }
    replaceConfig(config, file(good))
    await tableBecomes(lab.director, tableOf(good), { daemon })
    assertUnbroken(await watch.end())
  })

  it('by autoreload sees a symlink swap of the file, and of a directory on its way', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'cf-'))
    const global = 'autoreload=yes'
    const version = (name: string, wish: Wish): void => {
      mkdirSync(join(directory, name))
      writeFileSync(join(directory, name, 'director.cf'), unindent(file({ ...wish, global })))
    }
    const point = (name: string, target: string): void => {
      symlinkSync(target, join(directory, `${name}.new`))
      renameSync(join(directory, `${name}.new`), join(directory, name))
    }
    const wishes: readonly Wish[] = [2, 3, 4].map((weight) => ({ reals: [[r1, weight], usual[1]] }))
    const [first = {}, second = {}, third = {}] = wishes
    for (const [at, wish] of wishes.entries()) version(`v${at + 1}`, wish)
    point('data', 'v1')
    point('lab.cf', 'data/director.cf')
    const daemon = lab.start(join(directory, 'lab.cf'))
    await tableBecomes(lab.director, tableOf(first), { daemon })
    const watch = await lab.watch()
    point('data', 'v2')
    await tableBecomes(lab.director, tableOf(second), { daemon })
    point('lab.cf', 'v3/director.cf')
    await tableBecomes(lab.director, tableOf(third), { daemon })
    assertUnbroken(await watch.end())
  })
})
