import assert from 'node:assert/strict'
import { cli, command, type RunningDaemon, replaceConfig, startDaemon, writeConfig } from './lab/director.ts'
import { eventually } from './lab/eventually.ts'
import type { Host } from './lab/host.ts'
import { loneDirector } from './lab/topology.ts'

/** Every form that ipvsadm has, in the order in which it lists them. */
const everything = `-A -t 192.0.2.10:0 -s mh -p 360 -b mh-fallback,mh-port
-a -t 192.0.2.10:0 -r 192.0.2.21:0 -m -w 1
-A -t 192.0.2.10:80 -s rr
-a -t 192.0.2.10:80 -r 192.0.2.20:8080 -m -w 3
-a -t 192.0.2.10:80 -r 192.0.2.21:80 -g -w 0
-a -t 192.0.2.10:80 -r 192.0.2.22:80 -i -w 65535 --tun-type ipip
-A -t 192.0.2.10:443 -s wrr -p 600 -M 255.255.255.0
-a -t 192.0.2.10:443 -r 192.0.2.20:443 -g -w 1
-A -u 192.0.2.10:53 -s wlc -o
-a -u 192.0.2.10:53 -r 192.0.2.20:53 -m -w 1
-A -u 192.0.2.12:5060 -s lc -p 60 --pe sip
-A --sctp-service 192.0.2.11:21 -s lc -b flag-3
-A -t [2001:db8::10]:80 -s sh -b sh-fallback,sh-port
-a -t [2001:db8::10]:80 -r [2001:db8::21]:80 -g -w 1
-a -t [2001:db8::10]:80 -r [2001:db8::22]:8080 -m -w 2
-A -t [2001:db8::10]:443 -s none -p 300 -M 64
-A -f 5 -s wrr -p 300 -M 255.255.255.0
-a -f 5 -r 192.0.2.20:0 -i -w 1 --tun-type gue --tun-port 6080 --tun-nocsum
-a -f 5 -r 192.0.2.21:0 -i -w 2 --tun-type gue --tun-port 6081 --tun-csum
-a -f 5 -r 192.0.2.22:0 -i -w 3 --tun-type gre --tun-nocsum
-a -f 5 -r 192.0.2.23:0 -i -w 4 --tun-type gue --tun-port 6082 --tun-remcsum
-A -f 5 -6 -s rr
-a -f 5 -6 -r [2001:db8::21]:0 -m -w 1
`

describe('save', () => {
  let host: Host
  beforeEach(async () => {
    host = await loneDirector('route add default dev lo', 'route add ::/0 dev lo')
  })
  afterEach(() => host.close())

  const restore = async (lines: string): Promise<void> => {
    await host.must('bash', '-c', `ipvsadm -R <<'END'\n${lines}END`)
  }

  it("prints everybody's table as ipvsadm -S -n, to the byte, and ipvsadm -R restores it", async () => {
    await restore(everything)
    const theirs = await host.must('ipvsadm', '-S', '-n')
    assert.equal(theirs, everything)
    const saved = await cli(host, 'save')
    assert.deepEqual(saved, { code: 0, stdout: theirs, stderr: '' })
    await host.must('ipvsadm', '-C')
    assert.deepEqual(await cli(host, 'save'), { code: 0, stdout: '', stderr: '' })
    await restore(saved.stdout)
    assert.equal(await host.must('ipvsadm', '-S', '-n'), theirs)
  })
  it('prints a large mark so that ipvsadm takes it back, where ipvsadm itself does not', async () => {
    await restore('-A -f 4000000000 -s rr\n')
    const theirs = await host.must('ipvsadm', '-S', '-n')
    assert.equal(theirs, '-A -f -294967296 -s rr\n')
    const { stdout } = await cli(host, 'save')
    assert.equal(stdout, '-A -f 4000000000 -s rr\n')
    await host.must('ipvsadm', '-C')
    await restore(stdout)
    assert.equal(await host.must('ipvsadm', '-S', '-n'), theirs)
  })
  it('leaves thresholds out as ipvsadm does, says so, and has them as JSON', async () => {
    await restore('-A -f 6 -s rr\n-a -f 6 -r 192.0.2.20:0 -g -w 1 -x 10 -y 5\n')
    const { code, stdout, stderr } = await cli(host, 'save')
    assert.deepEqual([code, stdout], [0, await host.must('ipvsadm', '-S', '-n')])
    assert.match(stderr, /^Thresholds are not/)
    const { services } = JSON.parse((await cli(host, 'save', '--json')).stdout)
    const [{ virtual, protocol, destinations }] = services
    assert.deepEqual(
      [virtual, protocol, destinations[0].upperThreshold, destinations[0].lowerThreshold],
      ['6', 'fwm', 10, 5],
    )
  })
  it('ends with 4 and a sentence where it may not read the table', async () => {
    const without = ['--bounding-set=-net_admin', '--inh-caps=-net_admin', ...command, 'save']
    const { code, stdout, stderr } = await host.run('setpriv', ...without)
    assert.deepEqual([code, stdout], [4, ''])
    assert.match(stderr, /^The IPVS table cannot be read: not permitted: .*\(EPERM\)\n$/)
  })
})

describe('timeouts = in the configuration', () => {
  let host: Host
  let daemon: RunningDaemon
  beforeEach(async () => {
    host = await loneDirector()
  })
  afterEach(async () => {
    daemon.signal('SIGKILL')
    await daemon.ended
    await host.close()
  })
  const section = `virtual=10.9.9.1:80
    real=10.50.0.2:80 masq
    checktype=on
`
  const become = async (numbers: string): Promise<void> => {
    const wanted = `Timeout (tcp tcpfin udp): ${numbers}\n`
    let seen = ''
    const probe = async (): Promise<true | undefined> => {
      seen = await host.must('ipvsadm', '-L', '--timeout')
      return seen === wanted ? true : undefined
    }
    await eventually(wanted, probe, {}, () => `${seen}${daemon.log()}`)
  }

  it('are set at start and at reload, and stay after the end', async () => {
    const config = writeConfig(`timeouts = 700 0 30\n${section}`)
    daemon = startDaemon(host, config)
    await become('700 120 30')
    await host.must('ipvsadm', '--set', '1', '2', '3')
    replaceConfig(config, `timeouts = 800 61 0\n${section}`)
    daemon.signal('SIGHUP')
    await become('800 61 3')
    daemon.signal('SIGTERM')
    assert.equal(await daemon.ended, 0)
    await become('800 61 3')
    assert.doesNotMatch(daemon.log(), /refused|Internal/)
  })
})
