const FORBIDDEN_4 = [
  '0.0.0.0',
  '10.0.0.1',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.8.9.10',
  '168.63.129.16',
  '169.254.169.254',
  '169.254.170.2',
  '172.16.0.1',
  '172.31.255.254',
  '192.0.0.192',
  '192.0.2.7',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.51.100.9',
  '203.0.113.5',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '255.255.255.255',
]

const octets = (address: string): number[] => address.split('.').map(Number)
const number32 = (address: string): number => octets(address).reduce((sum, octet) => sum * 256 + octet, 0)
const hex = (value: number, width = 0): string => value.toString(16).padStart(width, '0')
const groups = (address: string): string => {
  const [a = 0, b = 0, c = 0, d = 0] = octets(address)
  return `${hex(a * 256 + b)}:${hex(c * 256 + d)}`
}

/** All the ways in which a parser of addresses can be led to one IPv4 address. */
function spellings4(address: string): string[] {
  const [a = 0, b = 0, c = 0, d = 0] = octets(address)
  const fullWidth = address.replaceAll(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)))
  return [
    address,
    `${address}.`,
    String(number32(address)),
    `0x${hex(number32(address))}`,
    `0X${hex(number32(address)).toUpperCase()}`,
    `0${number32(address).toString(8)}`,
    octets(address)
      .map((octet) => `0x${hex(octet)}`)
      .join('.'),
    octets(address)
      .map((octet) => `0${octet.toString(8)}`)
      .join('.'),
    `${a}.${b * 65_536 + c * 256 + d}`,
    `${a}.${b}.${c * 256 + d}`,
    `0x${hex(a)}.0${b.toString(8)}.${c * 256 + d}`,
    fullWidth,
    address.replaceAll('.', '。'),
    address.replaceAll('.', '%2e'),
    address.replace(/\d/, (digit) => `%3${digit}`),
    address.replace(/\d/, (digit) => `${digit}\u200b`),
    `${address}\u00ad`,
  ]
}

/** The IPv6 addresses that carry an IPv4 address. */
function carriers6(address: string): string[] {
  const low = groups(address)
  const [a = 0, b = 0, c = 0, d = 0] = octets(address)
  const inverted = groups([255 - a, 255 - b, 255 - c, 255 - d].join('.'))
  return [
    `::ffff:${address}`,
    `::ffff:${low}`,
    `0:0:0:0:0:ffff:${low}`,
    `::${address}`,
    `::${low}`,
    `::ffff:0:${low}`,
    `64:ff9b::${address}`,
    `64:ff9b::${low}`,
    `64:ff9b:1::${low}`,
    `2002:${low}::1`,
    `2001:0:4136:e378:8000:63bf:${inverted}`,
    `fe80::5efe:${low}`,
  ].map((each) => `[${each}]`)
}

const FORBIDDEN_6 = [
  '::',
  '::1',
  '0:0:0:0:0:0:0:1',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'fc00::1',
  'fd00:ec2::254',
  'fdff:ffff::1',
  'ff02::1',
  'ff05::1:3',
  '100::1',
  '2001:db8::1',
  '2001:2::1',
  '2001:10::1',
  '2001:20::1',
  '2002::1',
  '3fff::1',
  '4000::1',
  '5f00::1',
  '8000::1',
  'e000::1',
].map((each) => `[${each}]`)

const FORBIDDEN_HOSTS = [
  'localhost',
  'LOCALHOST',
  'localhost.',
  'foo.localhost',
  'metadata',
  'metadata.google.internal',
  'metadata.google.internal.',
  'instance-data.ec2.internal',
  'kubernetes.default.svc.cluster.local',
  'printer.local',
  'router.lan',
  'nas.home',
  'wiki.corp',
  'host.docker.internal',
  '1.0.0.127.in-addr.arpa',
  'intranet',
  'redis',
  'db.corp',
  '127.0.0.1.nip.io',
  '10.0.0.1.sslip.io',
  'a.localtest.me',
  'lvh.me',
  'inside.example.com',
  'mixed.example.com',
  'six.example.com',
  'mapped.example.com',
  'translated.example.com',
  'loop.example.com',
  'ⓔxample.com',
  'ｌｏｃａｌｈｏｓｔ',
  'loc\u00adalhost',
  'local\u200bhost',
  '%6c%6f%63alhost',
  'api.example.com%00.evil.test',
  '{host}.example.com',
  'api.example.com{x}',
  '{host}',
]

/** Hosts that lead inside, or are not written in their plain form. */
export const HOSTS = [
  ...FORBIDDEN_4.flatMap(spellings4),
  ...FORBIDDEN_4.flatMap(carriers6),
  ...FORBIDDEN_6,
  ...FORBIDDEN_HOSTS,
]

/** Addresses that are none, or not of the web, or hide where they lead. */
export const ODD_URLS = [
  'http://user@api.example.com/',
  'http://user:pass@api.example.com/',
  'http://api.example.com@10.0.0.1/',
  'http://10.0.0.1#@api.example.com/',
  'http://10.0.0.1?@api.example.com/',
  'http://api.example.com\\@10.0.0.1/',
  'http:\\\\10.0.0.1\\',
  'http:/10.0.0.1/',
  'http:10.0.0.1/',
  'http:///10.0.0.1/',
  'http:\\/10.0.0.1/',
  'http://\t10.0.0.1/',
  'ht\ntp://10.0.0.1/',
  'http://api.example.com\r\nHost: 10.0.0.1/',
  'http://api.example.com/\r\nX: y',
  'http://api.example.com/a b',
  ' http://api.example.com/',
  'http://api.example.com/\u202e',
  'http://api.example.com/\u200b',
  'http://api.example.com:99999/',
  'http://api.example.com:80:80/',
  'http://[::1/',
  'http://[::1%25lo]/',
  'http://[fe80::1%25eth0]/',
  'http://',
  'http://.',
  '//api.example.com/',
  '/etc/passwd',
  'api.example.com',
  'ftp://api.example.com/',
  'file:///etc/passwd',
  'file://api.example.com/etc/passwd',
  'gopher://api.example.com/',
  'dict://api.example.com/',
  'ldap://api.example.com/',
  'data:text/plain,x',
  'javascript:alert(1)',
  'blob:http://api.example.com/x',
  'unix:/var/run/docker.sock',
  'http+unix://%2Fvar%2Frun%2Fdocker.sock/',
  'jar:http://api.example.com!/',
  'netdoc:///etc/passwd',
  'mailto:a@api.example.com',
  'https:',
  '',
]
