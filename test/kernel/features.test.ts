import { strict as assert } from 'node:assert'
import { cli, type RunningDaemon, startDaemon, tableBecomes, writeConfig } from './lab/director.ts'
import { type Host, inOrder } from './lab/host.ts'
import { loneDirector } from './lab/topology.ts'

/** Everything up without a check, so that only the way from the file to the kernel is looked at. */
const always = `checkinterval=60
checktimeout=5
`

interface Feature {
  readonly name: string
  readonly config: string
  readonly table: string
}

const features: readonly Feature[] = [
  {
    name: 'tcp: the methods of forwarding, weights, ports by name and by masquerading',
    config: `virtual=10.9.9.1:http
    real=10.50.0.2:80 gate 3
    real=10.50.0.3:8080 masq
    real=10.50.0.4:80 ipip 65535
    real=10.50.0.5:80 masq 0
    checktype=on
    scheduler=wlc
`,
    table: `-A -t 10.9.9.1:80 -s wlc
      -a -t 10.9.9.1:80 -r 10.50.0.2:80 -g -w 3
      -a -t 10.9.9.1:80 -r 10.50.0.3:8080 -m -w 1
      -a -t 10.9.9.1:80 -r 10.50.0.4:80 -i -w 65535 --tun-type ipip
      -a -t 10.9.9.1:80 -r 10.50.0.5:80 -m -w 0`,
  },
  {
    name: 'udp, also with one-packet scheduling',
    config: `virtual=10.9.9.1:53
    real=10.50.0.2:53 masq
    checktype=on
    ops=yes
virtual=10.9.9.1:5060
    real=10.50.0.2:5060 gate
    checktype=on
    protocol=udp
    scheduler=sh
virtual=10.9.9.1:53
    real=10.50.0.3:53 masq
    checktype=on
    protocol=tcp
`,
    table: `-A -u 10.9.9.1:53 -s wrr -o
      -a -u 10.9.9.1:53 -r 10.50.0.2:53 -m -w 1
      -A -u 10.9.9.1:5060 -s sh
      -a -u 10.9.9.1:5060 -r 10.50.0.2:5060 -g -w 1
      -A -t 10.9.9.1:53 -s wrr
      -a -t 10.9.9.1:53 -r 10.50.0.3:53 -m -w 1`,
  },
  {
    name: 'firewall marks, IPv4 and IPv6 of the same number',
    config: `virtual=5
    real=10.50.0.2 gate 2
    real=10.50.0.3:8080 masq
    checktype=on
virtual6=5
    real6=[fd50::2] gate
    checktype=on
    scheduler=lc
virtual=4294967295
    real=10.50.0.2 gate
    checktype=on
`,
    // ipvsadm prints a mark as a signed number.
    table: `-A -f 5 -s wrr
      -a -f 5 -r 10.50.0.2:0 -g -w 2
      -a -f 5 -r 10.50.0.3:8080 -m -w 1
      -A -f 5 -6 -s lc
      -a -f 5 -6 -r [fd50::2]:0 -g -w 1
      -A -f -1 -s wrr
      -a -f -1 -r 10.50.0.2:0 -g -w 1`,
  },
  {
    name: 'IPv6 services',
    config: `virtual6=[2001:DB8:0::1]:http
    real6=[2001:DB8::0002]:8080 masq 3
    real6=[2001:db8::3]:80 gate
    real6=[2001:db8::4]:80 ipip
    checktype=on
virtual6=[2001:db8::1]:53
    real6=[2001:db8::2]:53 masq
    checktype=on
    ops=yes
    scheduler=rr
`,
    table: `-A -t [2001:db8::1]:80 -s wrr
      -a -t [2001:db8::1]:80 -r [2001:db8::2]:8080 -m -w 3
      -a -t [2001:db8::1]:80 -r [2001:db8::3]:80 -g -w 1
      -a -t [2001:db8::1]:80 -r [2001:db8::4]:80 -i -w 1 --tun-type ipip
      -A -u [2001:db8::1]:53 -s rr -o
      -a -u [2001:db8::1]:53 -r [2001:db8::2]:53 -m -w 1`,
  },
  {
    name: 'every form of persistence: per port, per client (port 0), per mark, with netmask and prefix',
    config: `virtual=10.9.9.1:80
    real=10.50.0.2:80 masq
    checktype=on
    persistent=600
virtual=10.9.9.1:443
    real=10.50.0.2:443 masq
    checktype=on
    persistent=360
    netmask=255.255.255.0
virtual=10.9.9.2:0
    real=10.50.0.2:0 gate
    checktype=on
    persistent=100
virtual=7
    real=10.50.0.2 gate
    checktype=on
    persistent=900
    netmask=255.255.0.0
virtual6=[fd09::1]:80
    real6=[fd50::2]:80 masq
    checktype=on
    persistent=300
    netmask=64
virtual=10.9.9.3:80
    real=10.50.0.2:80 masq
    checktype=on
    netmask=255.255.255.0
`,
    table: `-A -t 10.9.9.1:80 -s wrr -p 600
      -a -t 10.9.9.1:80 -r 10.50.0.2:80 -m -w 1
      -A -t 10.9.9.1:443 -s wrr -p 360 -M 255.255.255.0
      -a -t 10.9.9.1:443 -r 10.50.0.2:443 -m -w 1
      -A -t 10.9.9.2:0 -s wrr -p 100
      -a -t 10.9.9.2:0 -r 10.50.0.2:0 -g -w 1
      -A -f 7 -s wrr -p 900 -M 255.255.0.0
      -a -f 7 -r 10.50.0.2:0 -g -w 1
      -A -t [fd09::1]:80 -s wrr -p 300 -M 64
      -a -t [fd09::1]:80 -r [fd50::2]:80 -m -w 1
      -A -t 10.9.9.3:80 -s wrr
      -a -t 10.9.9.3:80 -r 10.50.0.2:80 -m -w 1`,
  },
  {
    name: 'every scheduler of the kernel, by name',
    config: ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'mh', 'sed', 'nq', 'fo', 'ovf']
      .map(
        (name, at) =>
          `virtual=10.9.9.1:${8000 + at}\n    real=10.50.0.2:80 masq\n    checktype=on\n    scheduler=${name}\n`,
      )
      .join(''),
    table: ['rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'mh', 'sed', 'nq', 'fo', 'ovf']
      .map(
        (name, at) => `-A -t 10.9.9.1:${8000 + at} -s ${name}\n-a -t 10.9.9.1:${8000 + at} -r 10.50.0.2:80 -m -w 1\n`,
      )
      .join(''),
  },
  {
    name: 'scheduler flags',
    config: `virtual=10.9.9.1:80
    real=10.50.0.2:80 masq
    checktype=on
    scheduler=sh
    schedflags=sh-port,sh-fallback
`,
    table: `-A -t 10.9.9.1:80 -s sh -b sh-fallback,sh-port
      -a -t 10.9.9.1:80 -r 10.50.0.2:80 -m -w 1`,
  },
]

describe('a configuration becomes a table of the kernel', function () {
  this.timeout(60_000)
  let host: Host | undefined
  let daemon: RunningDaemon | undefined

  beforeEach(async () => {
    host = await loneDirector()
  })
  afterEach(async () => {
    await host?.close()
  })

  for (const { name, config, table } of features) {
    it(name, async () => {
      assert.ok(host !== undefined)
      daemon = startDaemon(host, writeConfig(always + config))
      await tableBecomes(host, table, { daemon, withinMs: 30_000 })
      daemon.signal('SIGTERM')
      assert.equal(await daemon.ended, 0, daemon.log())
      assert.deepEqual(await host.table(), [])
    })
  }

  it('thresholds of connections, read back with --thresholds', async () => {
    assert.ok(host !== undefined)
    const config = `${always}virtual=10.9.9.1:80
    real=10.50.0.2:80 masq 3 l:5 u:10
    real=10.50.0.3:80 masq
    checktype=on
`
    daemon = startDaemon(host, writeConfig(config))
    const rows = async (): Promise<string[]> => {
      const listing = (await host?.must('ipvsadm', '-Ln', '--thresholds', '--sort')) ?? ''
      return listing
        .split('\n')
        .filter((line) => line.includes('->') && !line.includes('RemoteAddress'))
        .map((line) => line.trim().replaceAll(/ +/g, ' '))
    }
    await tableBecomes(
      host,
      `-A -t 10.9.9.1:80 -s wrr
      -a -t 10.9.9.1:80 -r 10.50.0.2:80 -m -w 3
      -a -t 10.9.9.1:80 -r 10.50.0.3:80 -m -w 1`,
      { daemon, withinMs: 30_000 },
    )
    assert.deepEqual(await rows(), ['-> 10.50.0.2:80 10 5 0 0', '-> 10.50.0.3:80 0 0 0 0'])
  })

  it('is told beforehand by `plan`, whose lines `ipvsadm -R` takes, and after which a plan is empty', async () => {
    assert.ok(host !== undefined)
    const all =
      always +
      features
        .slice(0, 1)
        .map(({ config }) => config)
        .join('')
    const file = writeConfig(all)
    const before = await cli(host, 'plan', file, '--assume', 'up', '--format', 'ipvsadm')
    assert.equal(before.code, 1, before.stderr)
    const script = `ipvsadm -R <<'END'\n${before.stdout}END`
    await host.must('bash', '-c', script)
    assert.deepEqual(await host.table(), inOrder(features[0]?.table ?? ''))
    const after = await cli(host, 'plan', file, '--assume', 'up')
    assert.deepEqual({ code: after.code, out: after.stdout }, { code: 0, out: 'Nothing to change.\n' })
  })

  it('is refused in words that help when a scheduler does not exist, and the rest is served', async () => {
    assert.ok(host !== undefined)
    const config = `${always}virtual=10.9.9.1:80
    real=10.50.0.2:80 masq
    checktype=on
    scheduler=nosuch
virtual=10.9.9.1:81
    real=10.50.0.2:81 masq
    checktype=on
    scheduler=rr
`
    daemon = startDaemon(host, writeConfig(config))
    await daemon.says(/-A -t 10\.9\.9\.1:80 -s nosuch/, { withinMs: 30_000 })
    await daemon.says(/ip_vs_nosuch/)
    await tableBecomes(host, '-A -t 10.9.9.1:81 -s rr\n-a -t 10.9.9.1:81 -r 10.50.0.2:81 -m -w 1', { daemon })
  })
})
