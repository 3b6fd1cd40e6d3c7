import assert from 'node:assert/strict'
import { readRuleset, readSaved } from '../../src/doctor/firewall.ts'

const full = 0xffffffff

describe('A listing of iptables-save', () => {
  it('gives the marks that rules set, whatever the target that sets them', () => {
    const text = `*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.10/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x7/0xffffffff
-A PREROUTING -m mark --mark 0x63 -j MARK --set-xmark 0x4/0xc
-A PREROUTING -j CONNMARK --set-xmark 0x10/0xffffffff
-A PREROUTING ! -d 192.0.2.11/32 -j MARK --set-xmark 0x7/0xffffffff
-A PREROUTING -d 192.0.2.0/24 -j MARK --set-xmark 0x7/0xffffffff
-A PREROUTING -p tcp -j TPROXY --on-port 80 --on-ip 0.0.0.0 --tproxy-mark 0x1/0x1
-A OUTPUT -j MARK --set-mark 9
COMMIT
`
    assert.deepEqual(readSaved(text), {
      marks: [
        { value: 7, mask: full, to: '192.0.2.10' },
        { value: 4, mask: 12 },
        { value: 16, mask: full },
        { value: 7, mask: full },
        { value: 7, mask: full },
        { value: 1, mask: 1 },
        { value: 9, mask: full },
      ],
      computed: false,
      stateful: true,
    })
  })

  it('tells rules that look at connections, and marks that are computed', () => {
    const looks = (rule: string): boolean => readSaved(`${rule}\n`).stateful
    assert.deepEqual(
      [
        '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
        '-A INPUT -m state --state NEW -j ACCEPT',
        '-A POSTROUTING -m ipvs --vaddr 192.0.2.10/32 -j MASQUERADE',
        '-A POSTROUTING -j SNAT --to-source 192.0.2.1',
        '-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT',
        ':POSTROUTING ACCEPT [0:0]',
        '# -m conntrack',
      ].map(looks),
      [true, true, true, true, false, false, false],
    )
    assert.equal(readSaved('-A PREROUTING -j HMARK --hmark-mod 10\n').computed, true)
    assert.equal(readSaved('-A PREROUTING -j SET --map-set a src --map-mark\n').computed, true)
  })

  it('is empty where there are no rules', () => {
    assert.deepEqual(readSaved(''), { marks: [], computed: false, stateful: false })
  })
})

describe('A listing of nft', () => {
  it('gives the marks of each family, tables of inet being of both', () => {
    const text = `table ip lvs {
	chain pre {
		type filter hook prerouting priority mangle; policy accept;
		ip daddr 192.0.2.10 tcp dport { 80, 443 } counter packets 0 bytes 0 meta mark set 0x00000007
		meta mark set ct mark
		ct mark set meta mark counter packets 0 bytes 0
	}
}
table ip6 lvs {
	chain pre {
		ip6 daddr 2001:db8::10 mark set 8
	}
}
table inet both {
	chain pre {
		ct mark set 0x00000009 return
		ct state established accept
	}
}
`
    const both = { value: 9, mask: full }
    assert.deepEqual(readRuleset(text), {
      4: { marks: [{ value: 7, mask: full, to: '192.0.2.10' }, both], computed: false, stateful: true },
      6: { marks: [{ value: 8, mask: full, to: '2001:db8::10' }, both], computed: false, stateful: true },
    })
  })

  it('is read as nft 1.0.6 printed it, bits and maps and what iptables-nft put there', () => {
    const text = `table ip t {
	chain c {
		type filter hook prerouting priority mangle; policy accept;
		meta mark set ct mark
		meta mark set meta mark & 0xffffff07 | 0x00000007
		meta mark set meta mark | 0x00000010
		ip daddr != 10.0.0.1 meta mark set 0x00000008 accept
		meta mark set ct mark accept
		meta mark 0x00000007 ct mark set meta mark
	}
}
table ip mangle {
	chain PREROUTING {
		type filter hook prerouting priority mangle; policy accept;
		ip daddr 192.0.2.11 counter packets 0 bytes 0 meta mark set 0xc
	}
}
`
    assert.deepEqual(readRuleset(text)[4], {
      marks: [
        { value: 7, mask: 0xff },
        { value: 16, mask: 16 },
        { value: 8, mask: full },
        { value: 12, mask: full, to: '192.0.2.11' },
      ],
      computed: false,
      stateful: true,
    })
  })

  it('says so when a mark comes from a map, a hash or a combination', () => {
    const computed = (rule: string): boolean => readRuleset(`table ip t {\n chain c {\n ${rule}\n }\n}\n`)[4].computed
    assert.deepEqual(
      [
        'meta mark set tcp dport map { 80 : 0x00000001, 443 : 0x00000002 }',
        'meta mark set jhash ip saddr mod 2',
        'meta mark set meta mark ^ 0x00000007',
        'meta mark set meta mark and 0xff',
        'meta mark set ct mark',
        'meta mark 0x00000007 accept',
      ].map(computed),
      [true, true, true, true, false, false],
    )
  })

  it('is empty where there are no tables', () => {
    const none = { marks: [], computed: false, stateful: false }
    assert.deepEqual(readRuleset(''), { 4: none, 6: none })
  })
})
