import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Facts } from '../../src/doctor/facts.ts'
import { moduleState, sysctl } from '../../src/doctor/facts.ts'
import { gather } from '../../src/doctor/gather.ts'
import type { Machine, Ran } from '../../src/doctor/machine.ts'
import { file, goodFacts, subjectOf } from './stage.ts'

const absent: Ran = { kind: 'absent' }
const ran = (stdout: string): Ran => ({ kind: 'ran', stdout })
const marked = 'virtual = 5\n    real = 10.0.0.2 gate\n    checktype = on\n'

describe('Gathering facts', () => {
  let root = ''
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'ldng-machine-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  const write = (files: Readonly<Record<string, string>>): void => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(root + path), { recursive: true })
      writeFileSync(root + path, text)
    }
  }
  const machine = (other: Partial<Machine> = {}): Machine => ({
    root,
    path: '/usr/bin:/bin',
    isRoot: true,
    interfaces: () => ({}),
    run: () => Promise.resolve(absent),
    nowMs: () => 5,
    ...other,
  })
  const look = async (other: Partial<Machine> = {}, text = ''): Promise<Facts> =>
    await gather(machine(other), (await subjectOf(text, goodFacts())).config)

  const kernel = {
    '/proc/version': 'Linux\n',
    '/proc/sys/kernel/osrelease': '6.1.0-test\n',
    '/proc/modules': 'ip_vs_rr 16384 3 - Live 0x0\nip_vs 180224 4 ip_vs_rr, Live 0x0\n',
  }
  const library = {
    '/lib/modules/6.1.0-test/modules.dep':
      'kernel/net/netfilter/ipvs/ip_vs.ko.xz: kernel/lib/libcrc32c.ko.xz\nkernel/net/netfilter/ipvs/ip_vs_wlc.ko:\nkernel/a/some-thing.ko.zst:\n',
    '/lib/modules/6.1.0-test/modules.builtin': 'kernel/net/netfilter/ipvs/ip_vs_mh.ko\n',
  }
  const states = (facts: Facts, ...names: string[]) =>
    names.map((name) => {
      const state = moduleState(facts, name)
      return state.known ? state.value : state.reason
    })

  it('tells loaded, built-in, loadable and absent modules, in any packing and spelling', async () => {
    write({ ...kernel, ...library })
    const facts = await look()
    assert.deepEqual(facts.kernel, { known: true, value: '6.1.0-test' })
    assert.deepEqual(states(facts, 'ip_vs', 'ip_vs_rr', 'ip_vs_mh', 'ip_vs_wlc', 'some_thing', 'ip_vs_sh'), [
      'present',
      'present',
      'present',
      'loadable',
      'loadable',
      'absent',
    ])
  })

  it('does not know what could be loaded without the folder of modules, as in a container', async () => {
    write(kernel)
    assert.deepEqual(states(await look(), 'ip_vs', 'ip_vs_sh'), ['present', 'there is no such file'])
  })

  it('knows that a kernel without modules has no IPVS, unless it shows one', async () => {
    write({ '/proc/version': 'Linux\n', '/proc/sys/kernel/osrelease': '6.1.0-test\n' })
    assert.deepEqual(states(await look(), 'ip_vs'), ['absent'])
    write({ '/proc/net/ip_vs': 'IP Virtual Server version 1.2.1 (size=4096)\n' })
    assert.deepEqual(states(await look(), 'ip_vs', 'ip_vs_rr'), ['present', 'there is no such file'])
  })

  it('takes nothing for loadable where loading is forbidden', async () => {
    write({ ...kernel, ...library, '/proc/sys/kernel/modules_disabled': '1\n' })
    assert.deepEqual(states(await look(), 'ip_vs', 'ip_vs_wlc'), ['present', 'absent'])
  })

  it('reads settings, and says why those of IPVS are not there', async () => {
    write({ '/proc/sys/net/ipv4/ip_forward': '1\n', '/proc/sys/net/ipv6/conf/all/forwarding': 'garbage\n' })
    const facts = await look()
    assert.deepEqual(sysctl(facts, 'net.ipv4.ip_forward'), { known: true, value: 1 })
    assert.deepEqual(sysctl(facts, 'net.ipv6.conf.all.forwarding'), {
      known: false,
      what: '/proc/sys/net/ipv6/conf/all/forwarding',
      reason: 'it holds no number',
    })
    assert.deepEqual(sysctl(facts, 'net.ipv4.vs.conntrack'), {
      known: false,
      what: 'net.ipv4.vs.*',
      reason: 'ip_vs is not loaded (modprobe ip_vs, then ask again)',
    })
    write({ '/proc/sys/net/ipv4/vs/conntrack': '0\n' })
    assert.deepEqual(sysctl(await look(), 'net.ipv4.vs.conntrack'), { known: true, value: 0 })
  })

  it('reads the settings of every interface, and skips one that goes away meanwhile', async () => {
    const conf = '/proc/sys/net/ipv4/conf'
    for (const [name, value] of [
      ['all', '0'],
      ['eth0.10', '2'],
    ] as const) {
      write({
        [`${conf}/${name}/rp_filter`]: value,
        [`${conf}/${name}/arp_ignore`]: '1',
        [`${conf}/${name}/arp_announce`]: value,
      })
    }
    write({ [`${conf}/gone/rp_filter`]: '1' })
    const { links } = await look()
    assert.deepEqual(links.known ? links.value.toSorted((a, b) => (a.name < b.name ? -1 : 1)) : links, [
      { name: 'all', rpFilter: 0, arpIgnore: 1, arpAnnounce: 0 },
      { name: 'eth0.10', rpFilter: 2, arpIgnore: 1, arpAnnounce: 2 },
    ])
    assert.equal(
      (await gather(machine({ root: '/nowhere' }), (await subjectOf('', goodFacts())).config)).links.known,
      false,
    )
  })

  it('knows the addresses of interfaces, and what routes deliver here', async () => {
    write({
      '/proc/net/fib_trie': `Local:
  +-- 0.0.0.0/0 3 0 5
     |-- 127.0.0.0
        /8 host LOCAL
     |-- 192.0.2.0
        /24 link UNICAST
     |-- 198.51.100.0
        /28 host LOCAL
     |-- 192.0.2.255
        /32 link BROADCAST
`,
      '/proc/net/ipv6_route': `20010db8000000000000000000000010 80 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000000 00000003 00000000 80200001     eth0
20010db8000000000000000000000000 40 ${'0'.repeat(32)} 00 ${'0'.repeat(32)} 00000100 00000001 00000000 00000001     eth0
`,
    })
    const address = { address: '192.0.2.1', netmask: '255.255.255.0', mac: '', internal: false, cidr: '192.0.2.1/24' }
    const { addresses } = await look({ interfaces: () => ({ eth0: [{ ...address, family: 'IPv4' }] }) })
    assert.deepEqual(addresses, {
      known: true,
      value: {
        local: [
          { address: '192.0.2.1', prefix: 32 },
          { address: '127.0.0.0', prefix: 8 },
          { address: '198.51.100.0', prefix: 28 },
          { address: '2001:db8::10', prefix: 128 },
        ],
        attached: [{ link: 'eth0', address: '192.0.2.1', prefix: 24 }],
        doubt: { 4: undefined, 6: undefined },
      },
    })
  })

  it('does not know addresses when neither way tells them', async () => {
    const interfaces = (): never => {
      throw new Error('not here')
    }
    assert.deepEqual((await look({ interfaces })).addresses, {
      known: false,
      what: 'the addresses of this machine',
      reason: 'not here',
    })
  })

  const rule = '-A PREROUTING -j MARK --set-xmark 0x5/0xffffffff\n'

  it('joins what all programs list, and doubts as soon as one of them failed', async () => {
    const run: Machine['run'] = (program) =>
      Promise.resolve(
        program === 'nft'
          ? { kind: 'failed', reason: 'not permitted' }
          : ran(program.startsWith('iptables-') ? rule : ''),
      )
    const { firewall } = await look({ run }, marked)
    const five = { value: 5, mask: 0xffffffff }
    assert.deepEqual(firewall, {
      4: { marks: [five, five, five], computed: false, stateful: false, blind: 'not permitted' },
      6: { marks: [], computed: false, stateful: false, blind: 'not permitted' },
    })
  })

  it('is blind without any program, and where an empty listing shows only that it is not root', async () => {
    assert.equal((await look({}, marked)).firewall[4].blind, 'neither iptables-save nor nft is installed')
    const run: Machine['run'] = (program) => Promise.resolve(program === 'iptables-save' ? ran('') : absent)
    assert.equal(
      (await look({ run, isRoot: false }, marked)).firewall[4].blind,
      'iptables-save shows its rules to root only',
    )
    assert.equal((await look({ run }, marked)).firewall[4].blind, undefined)
  })

  it('asks the packet filter only where the configuration makes it matter', async () => {
    const asked: string[] = []
    const run: Machine['run'] = (program) => {
      asked.push(program)
      return Promise.resolve(absent)
    }
    await look({ run }, 'virtual = 192.0.2.10:80\n    real = 10.0.0.2:80 gate\n')
    assert.deepEqual(asked, [])
    await look({ run }, 'virtual = 192.0.2.10:80\n    real = 10.0.0.2:80 masq\n')
    assert.deepEqual(asked.toSorted(), [
      'ip6tables-legacy-save',
      'ip6tables-nft-save',
      'ip6tables-save',
      'iptables-legacy-save',
      'iptables-nft-save',
      'iptables-save',
      'nft',
    ])
  })

  it('looks for programs in PATH and by their path', async () => {
    write({ '/usr/bin/ping': '', '/bin/ping': '', '/opt/check': '', '/opt/folder/x': '' })
    chmodSync(`${root}/bin/ping`, 0o755)
    chmodSync(`${root}/opt/check`, 0o640)
    const section = (n: number, ...lines: string[]): string =>
      [`virtual = 192.0.2.${n}:80`, 'real = 10.0.0.2:80 gate', ...lines].join('\n    ')
    const text = [
      section(1, 'checktype = ping'),
      section(2, 'checktype = external', 'checkcommand = "/opt/check a"'),
      section(3, 'checktype = external-perl', 'checkcommand = /opt/folder'),
      '',
    ].join('\n')
    const { programs } = await look({}, text)
    assert.deepEqual(Object.fromEntries(programs), {
      ping: { known: true, value: { kind: 'file', mode: 0o755 } },
      '/opt/check a': { known: true, value: { kind: 'missing' } },
      '/opt/check': { known: true, value: { kind: 'file', mode: 0o640 } },
      perl: { known: true, value: { kind: 'missing' } },
      '/opt/folder': { known: true, value: { kind: 'no-file' } },
    })
  })

  it('reads the permissions of the configuration, and what keeps addresses and the clock', async () => {
    write({ [file]: '', '/etc/keepalived/keepalived.conf': '', '/run/chrony/chronyd.pid': '' })
    assert.equal((await look()).hasUnit, false)
    write({ '/usr/lib/systemd/system/ldirectord-ng.service': '' })
    chmodSync(root + file, 0o604)
    utimesSync(root + file, 100, 100)
    const { configFile, failover, clock, hasUnit } = await look()
    assert.equal(hasUnit, true)
    assert.deepEqual(
      [configFile.known && { mode: configFile.value.mode, mtimeMs: configFile.value.mtimeMs }, failover, clock],
      [{ mode: 0o604, mtimeMs: 100_000 }, ['keepalived'], { nowMs: 5, keepers: ['chrony'] }],
    )
  })

  it('of a machine that tells nothing knows nothing, and says so', async () => {
    const facts = await look({ root: join(root, 'nowhere') })
    const { kernel: release, modules, links, configFile } = facts
    assert.deepEqual(
      [release, modules.loadable, links, configFile, ...facts.sysctls.values()].map((fact) => fact.known),
      Array(4 + facts.sysctls.size).fill(false),
    )
  })
})
