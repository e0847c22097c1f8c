import { LISTS, PINGS, callsOf, oddIds, oddTokens, step, type Script, type Step } from './steps.ts'

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g

const CLOCK: Step['varies'] = {
  why: 'the server writes the time of day into these resources',
  undo: (text) =>
    text
      .replaceAll(
        /"blob":"([A-Za-z0-9+/=]+)"/g,
        (_, blob: string) => `"blob":"${Buffer.from(blob, 'base64').toString()}"`,
      )
      .replaceAll(/\d{1,2}:\d{2}:\d{2} [AP]M/g, 'TIME'),
}
const SESSION: Step['varies'] = {
  why: 'the server names its own session with us',
  undo: (text) => text.replaceAll(UUID, 'UUID').replaceAll('session undefined', 'session UUID'),
}
const ENVIRONMENT: Step['varies'] = {
  why: 'the environment of a child is its parent’s choice; the variable that the operator set is compared',
  undo: (text) => /\\"LOSSLESS\\": \\"[^"]*\\"/.exec(text)?.[0] ?? text,
}

export const everything: Script = (place) => {
  const { tool, prompt, complete, promptRef } = callsOf(place)
  const gz = `${place.run}.gz`
  return [
    ...LISTS,
    ...PINGS,
    ...oddIds(tool('echo', '{"message":"hi"}')),
    tool('echo', '{"message":"\\u0041\\/\\ud83d\\ude00 é \\u2028 \\u0000","future":1.0}', { meta: '"a.b/c":[1.0]' }),
    tool('echo', '{}'),
    tool('echo', '{"message":12345678901234567890}'),
    tool('get-sum', '{"a":1.0,"b":9007199254740993}'),
    tool('get-sum', '{"a":"1","b":2}'),
    tool('get-env', '{}', { varies: ENVIRONMENT }),
    tool('get-tiny-image'),
    tool('get-structured-content', '{"location":"New York"}'),
    tool('get-structured-content', '{"location":"Nowhere"}'),
    tool('get-annotated-message', '{"messageType":"error","includeImage":true}'),
    tool('get-annotated-message', '{"messageType":"debug"}'),
    tool('get-resource-links', '{"count":4}', { varies: CLOCK }),
    tool('get-resource-reference', '{"resourceType":"Text","resourceId":1}', { varies: CLOCK }),
    tool('get-resource-reference', '{"resourceType":"Blob","resourceId":2}', { varies: CLOCK }),
    tool('get-resource-reference', '{"resourceId":-1}'),
    tool('get-roots-list'),
    ...oddTokens(tool('trigger-long-running-operation', '{"duration":0.02,"steps":4}')),
    tool('trigger-long-running-operation', '{"duration":0.01,"steps":2}'),
    tool('trigger-elicitation-request'),
    tool('trigger-sampling-request', '{"prompt":"capital?","maxTokens":10}'),
    tool('trigger-url-elicitation', '{"url":"https://example.com/a?b=c","elicitationId":"e-1"}'),
    tool('trigger-url-elicitation', `{"url":"https://example.com/${place.run}","errorPath":true}`, {
      varies: { why: 'the server draws a new id for each elicitation', undo: (text) => text.replaceAll(UUID, 'UUID') },
    }),
    prompt('simple-prompt'),
    prompt('args-prompt', '{"city":"S\\u00e3o Paulo","state":"SP"}', { meta: '"a/b":1.0' }),
    prompt('args-prompt', '{}'),
    prompt('completable-prompt', '{"department":"Sales","name":"Eve"}'),
    prompt('resource-prompt', '{"resourceType":"Text","resourceId":"1"}', { varies: CLOCK }),
    complete(promptRef('completable-prompt'), '{"name":"department","value":"S"}'),
    complete(
      promptRef('completable-prompt'),
      '{"name":"name","value":""}',
      ',"context":{"arguments":{"department":"Sales"}},"future":1.0',
    ),
    complete(
      '{"type":"ref/resource","uri":"demo://resource/dynamic/text/{resourceId}"}',
      '{"name":"resourceId","value":"7"}',
    ),
    step('resources/read', '"uri":"demo://resource/dynamic/text/3"', { varies: CLOCK }),
    step('resources/read', '"uri":"demo://resource/dynamic/blob/3"', { varies: CLOCK }),
    step('resources/read', '"uri":"demo://resource/dynamic/text/none"'),
    step('resources/read', '"uri":"demo://resource/static/document/architecture.md","future":1.0'),
    step('resources/read', '"uri":"demo://nowhere"'),
    step('resources/subscribe', '"uri":"demo://resource/dynamic/text/5"', {
      only: 'legacy',
      varies: SESSION,
      awaits: { 'notifications/message': 1 },
    }),
    tool('toggle-subscriber-updates', '{}', {
      only: 'legacy',
      varies: SESSION,
      awaits: { 'notifications/resources/updated': 1 },
    }),
    tool('toggle-subscriber-updates', '{}', { only: 'legacy', varies: SESSION }),
    step('resources/unsubscribe', '"uri":"demo://resource/dynamic/text/5"', {
      only: 'legacy',
      varies: SESSION,
      awaits: { 'notifications/message': 1 },
    }),
    step('logging/setLevel', '"level":"warning"', { only: 'legacy' }),
    step('logging/setLevel', '"level":"debug","future":1', { only: 'legacy' }),
    ...LISTS,
    tool('gzip-file-as-resource', `{"name":"${gz}","data":"data:text/plain,hello","outputType":"resourceLink"}`, {
      only: 'legacy',
      awaits: { 'notifications/resources/list_changed': 1 },
    }),
    step('resources/read', `"uri":"demo://resource/session/${gz}"`, { only: 'legacy' }),
    step('resources/list', '', { only: 'legacy' }),
  ]
}

/** Of no request, but of the beginning of a session: the gateway's with the server began at another time than ours. */
export const AT_BEGIN: readonly { readonly why: string; readonly matches: RegExp }[] = [
  { why: 'asks for the roots soon after it began, whatever goes on', matches: /^roots\/list / },
  { why: 'says so when it has them', matches: /Roots updated: / },
  { why: 'adds tools once it knows what the client can do', matches: /^notifications\/tools\/list_changed / },
]

export const memory: Script = (place) => {
  const { tool } = callsOf(place)
  const uri = '"uri":"memory://knowledge-graph"'
  const updated = { awaits: { 'notifications/resources/updated': 1 } }
  return [
    ...LISTS,
    ...PINGS,
    ...oddIds(tool('read_graph')),
    step('resources/subscribe', uri),
    tool(
      'create_entities',
      '{"entities":[{"name":"Ada","entityType":"person","observations":["\\u0041\\/é 東京 😀"]},{"name":"B","entityType":"b","observations":[]}]}',
      updated,
    ),
    tool('create_relations', '{"relations":[{"from":"Ada","to":"B","relationType":"knows"}]}', updated),
    tool('add_observations', '{"observations":[{"entityName":"Ada","contents":["x","y"]}]}', updated),
    tool('add_observations', '{"observations":[{"entityName":"Nobody","contents":["x"]}]}'),
    tool('create_entities', '{"entities":"none"}'),
    tool('search_nodes', '{"query":"ad","future":1.0}', { meta: '"a/b":{"n":1.0}' }),
    tool('open_nodes', '{"names":["Ada","B"]}'),
    tool('read_graph'),
    step('resources/read', `${uri},"future":1.0`, { meta: '"a/b":1.0' }),
    step('resources/read', '"uri":"memory://nowhere"'),
    tool('delete_observations', '{"deletions":[{"entityName":"Ada","observations":["x"]}]}', updated),
    tool('delete_relations', '{"relations":[{"from":"Ada","to":"B","relationType":"knows"}]}', updated),
    tool('delete_entities', '{"entityNames":["Ada","B"]}', updated),
    step('resources/unsubscribe', uri, { only: 'legacy' }),
    tool('create_entities', '{"entities":[{"name":"C","entityType":"c","observations":[]}]}', { only: 'legacy' }),
    tool('delete_entities', '{"entityNames":["C"]}', { only: 'legacy' }),
    tool('read_graph'),
  ]
}

const TIMES: Step['varies'] = {
  why: 'times and the directory’s own size are the file system’s',
  undo: (text) => text.replaceAll(/(created|modified|accessed): [^\\]*/g, '$1: TIME'),
}

export const filesystem: Script = (place) => {
  const { tool } = callsOf(place)
  const path = (name: string): string => JSON.stringify(`${place.directory}/${name}`)
  return [
    ...LISTS,
    ...PINGS,
    ...oddIds(tool('list_allowed_directories')),
    tool('write_file', `{"path":${path('a.txt')},"content":"one\\ntwo \\u0041\\/é 東京 😀\\nthree\\n"}`),
    tool('read_file', `{"path":${path('a.txt')}}`),
    tool('read_text_file', `{"path":${path('a.txt')},"head":1.0,"future":1.0}`, { meta: '"a/b":1.0' }),
    tool('read_text_file', `{"path":${path('a.txt')},"tail":1}`),
    tool('read_text_file', `{"path":${path('a.txt')},"tail":1,"head":1}`),
    tool('read_text_file', `{"path":${path('none.txt')}}`),
    tool('read_text_file', '{"path":"/etc/passwd"}'),
    tool('read_text_file', '{"path":5}'),
    tool('read_text_file', `{"path":${path('big.txt')}}`),
    tool('read_media_file', `{"path":${path('dot.png')}}`),
    tool('read_media_file', `{"path":${path('beep.wav')}}`),
    tool('read_multiple_files', `{"paths":[${path('a.txt')},${path('none.txt')}]}`),
    tool('edit_file', `{"path":${path('a.txt')},"edits":[{"oldText":"one","newText":"uno"}],"dryRun":true}`),
    tool('edit_file', `{"path":${path('a.txt')},"edits":[{"oldText":"one","newText":"uno"}]}`),
    tool('create_directory', `{"path":${path('d/e')}}`),
    tool('move_file', `{"source":${path('a.txt')},"destination":${path('d/b.txt')}}`),
    tool('list_directory', `{"path":${path('d')}}`),
    tool('list_directory_with_sizes', `{"path":${path('d')},"sortBy":"size"}`),
    tool('directory_tree', `{"path":${path('')}}`),
    tool('search_files', `{"path":${path('')},"pattern":"**/*.txt"}`),
    tool('get_file_info', `{"path":${path('d/b.txt')}}`, { varies: TIMES }),
    tool('list_allowed_directories'),
  ]
}

const changed = (kind: string): Record<string, number> => ({ [`notifications/${kind}/list_changed`]: 1 })

export const fixture: Script = (place) => {
  const { tool, prompt, complete, promptRef } = callsOf(place)
  const watched = '"uri":"test://watched-resource"'
  const fail = (code: number, data: string): Step =>
    tool('fail_rpc', `{"code":${code},"message":"as \\"told\\" é","data":${data}}`)
  return [
    ...LISTS,
    ...PINGS,
    ...oddIds(tool('echo', '{"message":"hi"}')),
    ...oddIds(fail(-31_999, '{"deep":[1,null,{"unknown":true}]}')),
    ...[1, 0, -1, 404, -32_000, -32_002, -32_050, -32_603, -32_700, 9_007_199_254_740_991].map((code) =>
      fail(code, '{"a":{"b":[{"c":1.5},"x"]},"__proto__x":null}'),
    ),
    ...['null', '0', '""', '[]', '"text"', 'false', '12345678901234'].map((data) => fail(-31_999, data)),
    tool('fail_rpc', '{"code":-31999,"message":""}'),
    tool('echo_meta', '{"a":1.0,"b":12345678901234567890,"u":"\\u0041\\/","future":{"x":[]}}', {
      meta: '"progressToken":"t","traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","example.com/n":{"x":[1,null]}',
      varies: {
        why: 'HTTP headers are of the hop; the claim and the progress token are the gateway’s',
        undo: (text) =>
          text
            .replace(/,\\"headers\\":\{.*?\}(?=\}")/, '')
            .replaceAll(
              /\\"io\.modelcontextprotocol\/[a-zA-Z]+\\":(\\"[^"]*?\\"|\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}),?/g,
              '',
            )
            .replaceAll(/\\"progressToken\\":(\\"t\\"|\d+),?/g, '')
            .replaceAll(/,(?=\})/g, ''),
      },
    }),
    tool('add', '{"a":1,"b":2}'),
    tool('add', '{"a":1}'),
    tool('unknown_fields'),
    tool('big', '{"bytes":5000000}'),
    tool('big', '{"bytes":0}'),
    tool('test_simple_text'),
    tool('test_image_content'),
    tool('test_audio_content'),
    tool('test_embedded_resource'),
    tool('test_multiple_content_types'),
    tool('test_error_handling'),
    tool('test_tool_with_logging'),
    tool('test_logging_tool'),
    tool('json_schema_2020_12_tool', '{"name":"x","contactMethod":"phone","phone":"1"}'),
    tool('test_x_mcp_header', '{"region":"eu"}', { headers: { 'mcp-param-region': 'eu' } }),
    ...oddTokens(tool('slow', '{"ms":30,"progressEveryMs":3}')),
    tool('test_tool_with_progress', '{}', { meta: '"progressToken":"p"' }),
    tool('slow', '{"ms":20,"progressEveryMs":5}'),
    tool('slow', '{"ms":60000,"progressEveryMs":10}', {
      id: '"cancel me"',
      meta: '"progressToken":"cancelled"',
      cancelAfter: 2,
    }),
    tool('test_sampling', '{"prompt":"capital?"}'),
    tool('test_elicitation', '{"message":"Who?"}'),
    tool('test_elicitation_sep1034_defaults'),
    tool('test_elicitation_sep1330_enums'),
    tool('test_streaming_elicitation'),
    tool('elicit_marker', '{"marker":"m-é"}'),
    tool('test_input_required_result_elicitation'),
    tool('test_input_required_result_sampling'),
    tool('test_input_required_result_list_roots'),
    tool('test_input_required_result_request_state'),
    tool('test_input_required_result_multiple_inputs'),
    tool('test_input_required_result_multi_round'),
    prompt('test_input_required_result_prompt'),
    prompt('test_simple_prompt'),
    prompt('test_prompt_with_arguments', '{"arg1":"é\\u0041","arg2":"","future":"x"}', { meta: '"a/b":1.0' }),
    prompt('test_prompt_with_arguments', '{"arg1":"x"}'),
    prompt('test_prompt_with_embedded_resource', '{"resourceUri":"test://x"}'),
    prompt('test_prompt_with_image'),
    complete(promptRef('test_prompt_with_arguments'), '{"name":"arg1","value":"par"}', ',"future":1.0'),
    complete('{"type":"ref/resource","uri":"test://template/{id}/data"}', '{"name":"id","value":"p"}'),
    step('resources/read', '"uri":"test://static-text","future":1.0', { meta: '"a/b":1.0' }),
    step('resources/read', '"uri":"test://static-binary"'),
    step('resources/read', '"uri":"test://template/é-1/data"', {
      headers: { 'mcp-name': '=?base64?dGVzdDovL3RlbXBsYXRlL8OpLTEvZGF0YQ==?=' },
    }),
    step('resources/read', '"uri":"test://nowhere"'),
    step('resources/subscribe', watched),
    tool('touch', '{"uri":"test://watched-resource"}', { awaits: { 'notifications/resources/updated': 1 } }),
    tool('touch', '{"uri":"test://static-text"}'),
    step('resources/unsubscribe', watched, { only: 'legacy' }),
    tool('touch', '{"uri":"test://watched-resource"}', { only: 'legacy' }),
    tool('test_trigger_tool_change', '{}', { awaits: changed('tools') }),
    step('tools/list'),
    tool('test_dynamic_tool'),
    tool('test_trigger_tool_change', '{}', { awaits: changed('tools') }),
    tool('test_trigger_prompt_change', '{}', { awaits: changed('prompts') }),
    step('prompts/list'),
    prompt('test_dynamic_prompt'),
    tool('test_trigger_prompt_change', '{}', { awaits: changed('prompts') }),
    step('logging/setLevel', '"level":"error"', { only: 'legacy' }),
    step('logging/setLevel', '"level":"info"', { only: 'legacy', meta: '"a/b":1' }),
    tool('test_logging_tool'),
    ...LISTS,
  ]
}

export const verbatim: Script = (place) => {
  const { tool, prompt, complete, promptRef } = callsOf(place)
  const args =
    '{"n":[1.0,1e400,12345678901234567890,-0,1E+2,0.10],"u":"\\u0041\\/é \u2028😀\\ud800","10":1,"2":2,"":{},"__proto__":{"y":1},"a b":{"deep":[[[{"x":1.50}]]]}}'
  return [
    ...LISTS,
    ...oddIds(tool('echo', args)),
    ...oddTokens(tool('echo', args)),
    tool('echo', args, { meta: '"example.com/n":[1.0,1e400,12345678901234567890],"u":"\\u0041\\/","future":{}' }),
    step('tools/call', `"future":{"n":1.0},"name":${place.name('echo')},"n":1e400,"arguments":${args},"z":[1.0]`),
    step('tools/call', `"name":${place.name('echo')}`),
    step('tools/call', `\n "name" : ${place.name('echo')} ,\r\n\t"arguments" : {\n "n" : 1.0 }\n`),
    tool('empty'),
    tool('fail', args, { meta: '"a/b":1.0' }),
    tool('pretty'),
    prompt('p', '{"a":"\\u0041","future":1.0}', { meta: '"a/b":1.0' }),
    step('resources/read', '"uri":"v:1","future":12345678901234567890'),
    step('resources/read', '"uri":"v:\\u0041nything"'),
    complete(
      promptRef('p'),
      '{"name":"a","value":"\\u0041","n":1.0}',
      ',"context":{"arguments":{"b":"\\u0041"},"n":1.0}',
    ),
    complete('{"type":"ref/resource","uri":"v:{+rest}","n":1.0}', '{"name":"rest","value":"\\u0041"}'),
  ]
}
