import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Site, startServer } from './harness.ts'
import { needs } from './needs.ts'

describe('the harness of real servers', function () {
  this.timeout(20_000)
  before(function () {
    needs(this, 'perl')
  })

  /** A server of one line: it listens on the port, if any, and stays. */
  const listens = `use Socket; $SIG{TERM} = 'IGNORE' if $ARGV[1];
    socket(my $s, PF_INET, SOCK_STREAM, 0); bind($s, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die "bind: $!";
    listen($s, 5); open(my $f, '>', "$ARGV[2]/up"); print $f "$< $$"; close $f; sleep 60`
  const plan = (ignoresTerm: boolean, sites: Site[]) => ({
    program: 'perl' as const,
    ports: 1,
    prepare: async (site: Site) => {
      sites.push(site)
      await writeFile(join(site.directory, 'config'), '')
    },
    args: ({ directory, ports }: Site) => ['-e', listens, String(ports[0]), ignoresTerm ? '1' : '', directory],
    isReady: async ({ directory }: Site) => (await readFile(join(directory, 'up'), 'utf8')) !== '',
  })

  for (const ignoresTerm of [false, true]) {
    it(`stops a server that ${ignoresTerm ? 'ignores TERM' : 'minds TERM'}, frozen or not, and removes its directory`, async () => {
      const server = await startServer(plan(ignoresTerm, []))
      const [uid, pid] = (await readFile(join(server.directory, 'up'), 'utf8')).split(' ').map(Number)
      assert.notEqual(uid, 0)
      server.freeze()
      await server.stop()
      assert.throws(() => process.kill(pid ?? 0, 0), { code: 'ESRCH' })
      assert.equal(existsSync(server.directory), false)
    })
  }

  it('may be told to stop a server that was killed', async () => {
    const server = await startServer(plan(false, []))
    await server.kill()
    await server.stop()
    assert.equal(existsSync(server.directory), false)
  })

  it('freezes, thaws and kills the children of a server with it', async () => {
    const forks = `defined(my $c = fork) or die; if (!$c) { sleep 60; exit }
      open(my $f, '>', "$ARGV[2]/up"); print $f "$c"; close $f; sleep 60`
    const server = await startServer({
      ...plan(false, []),
      args: ({ directory }: Site) => ['-e', forks, '0', '', directory],
    })
    const child = await readFile(join(server.directory, 'up'), 'utf8')
    const state = async (): Promise<string> => {
      const stat = await readFile(`/proc/${child}/stat`, 'latin1').catch(() => ') gone')
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[0] ?? ''
    }
    server.freeze()
    const until = async (wanted: RegExp): Promise<void> => {
      while (!wanted.test(await state())) await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await until(/T/)
    server.thaw()
    await until(/S/)
    await server.kill()
    await until(/gone|Z/)
    await server.stop()
  })

  it('tells what a server said that ended before it was ready, and leaves nothing', async () => {
    const sites: Site[] = []
    const broken = { ...plan(false, sites), args: () => ['-e', 'die "no such option\\n"'] }
    await assert.rejects(startServer(broken), /perl: no such option/)
    assert.deepEqual([sites.length, existsSync(sites[0]?.directory ?? '/')], [1, false])
  })

  it('tries again with other ports when somebody else has taken one', async () => {
    const sites: Site[] = []
    const unlucky = {
      ...plan(false, sites),
      args: (site: Site) =>
        sites.length < 3 ? ['-e', 'die "bind: Address already in use\\n"'] : plan(false, []).args(site),
    }
    const server = await startServer(unlucky)
    await server.stop()
    assert.equal(sites.length, 3)
    assert.deepEqual(
      sites.map(({ directory }) => existsSync(directory)),
      [false, false, false],
    )
  })

  it('leaves nothing when the preparation fails', async () => {
    const sites: Site[] = []
    const broken = {
      ...plan(false, sites),
      prepare: async (site: Site) => {
        sites.push(site)
        await site.run('perl', ['-e', 'print STDERR "cannot prepare\\n"; exit 1'])
      },
    }
    await assert.rejects(startServer(broken), /cannot prepare/)
    assert.equal(existsSync(sites[0]?.directory ?? '/'), false)
  })
})
