// A small function app for the tests of the single-machine host. It uses every feature of the host. Activities add a
// line to EFFECTS_FILE, so that a test can count their executions.
const { appendFileSync } = require('node:fs');
const { app } = require('@azure/functions');
const df = require('durable-functions');

if (process.env.FIXTURE_CONFIGURATION_ERROR) {
  const error = new Error(
    'strongroom.json has 2 problems:\n  jobs[0].name: missing\n  jobs[1].schedule: not a schedule',
  );
  error.name = 'ConfigurationError';
  throw error;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const effect = (text) => process.env.EFFECTS_FILE && appendFileSync(process.env.EFFECTS_FILE, `${text}\n`);

app.hook.appStart(() => effect('appStart'));
app.hook.appTerminate(() => effect('appTerminate'));

/** What the host last gave to the orchestrator of each instance. */
const given = new Map();
app.hook.preInvocation(({ invocationContext, inputs: [input] }) => {
  if (invocationContext.options.trigger.type !== 'orchestrationTrigger') return;
  given.set(input.instanceId, JSON.stringify(input));
});
app.http('given', { methods: ['GET'], route: 'given/{id}', handler: ({ params }) => ({ body: given.get(params.id) }) });
const binding = df.input.durableClient();
app.http('binding', {
  methods: ['GET'],
  route: 'binding',
  extraInputs: [binding],
  handler: (_request, context) => ({ jsonBody: context.extraInputs.get(binding) }),
});

// ---- activities
df.app.activity('square', {
  handler: async ({ n, ms = 0 }) => {
    if (ms > 0) await sleep(ms);
    effect(`square ${n}`);
    return { n, squared: n * n };
  },
});
df.app.activity('echo', { handler: (input) => ({ type: input === null ? 'null' : typeof input, input }) });
df.app.activity('answerText', { handler: () => '{"looks":"like JSON"}' });
df.app.activity('answerNothing', { handler: () => undefined });
df.app.activity('fail', {
  handler: ({ text }) => {
    effect('fail');
    throw new Error(text);
  },
});
const tries = new Map();
df.app.activity('failTwice', {
  handler: ({ key }) => {
    tries.set(key, (tries.get(key) ?? 0) + 1);
    effect(`failTwice ${key}`);
    if (tries.get(key) <= 2) throw new Error(`try ${tries.get(key)}`);
    return { tries: tries.get(key) };
  },
});
let concurrent = 0;
let mostConcurrent = 0;
df.app.activity('countConcurrent', {
  handler: async () => {
    mostConcurrent = Math.max(mostConcurrent, ++concurrent);
    await sleep(20);
    concurrent--;
    return { mostConcurrent };
  },
});

// ---- orchestrations
df.app.orchestration('fanOut', function* (context) {
  const { count, ms } = context.df.getInput();
  const tasks = Array.from({ length: count }, (_, n) => context.df.callActivity('square', { n, ms }));
  const results = yield context.df.Task.all(tasks);
  return { sum: results.reduce((sum, { squared }) => sum + squared, 0), count: results.length };
});
df.app.orchestration('tree', function* (context) {
  const { depth, width } = context.df.getInput();
  if (depth === 0) return { leaves: 1, parents: [context.df.parentInstanceId !== null] };
  const children = Array.from({ length: width }, () =>
    context.df.callSubOrchestrator('tree', { depth: depth - 1, width }),
  );
  const results = yield context.df.Task.all(children);
  return {
    leaves: results.reduce((sum, { leaves }) => sum + leaves, 0),
    parents: [...new Set(results.flatMap(({ parents }) => parents))],
  };
});
df.app.orchestration('countDown', function* (context) {
  const { left, sum } = context.df.getInput();
  if (left === 0) return { sum };
  const { squared } = yield context.df.callActivity('square', { n: left });
  context.df.setCustomStatus({ left });
  context.df.continueAsNew({ left: left - 1, sum: sum + squared });
});
df.app.orchestration('nap', function* (context) {
  const { ms } = context.df.getInput();
  const start = context.df.currentUtcDateTime.getTime();
  yield context.df.createTimer(new Date(start + ms));
  return { slept: context.df.currentUtcDateTime.getTime() - start };
});
df.app.orchestration('catches', function* (context) {
  try {
    yield context.df.callActivity('fail', { text: 'as expected' });
    return { caught: false };
  } catch (error) {
    const { squared } = yield context.df.callActivity('square', { n: 5 });
    return { caught: true, message: error.message, squared };
  }
});
df.app.orchestration('fails', function* (context) {
  yield context.df.callActivity('square', { n: 1 });
  throw new Error('on purpose');
});
df.app.orchestration('parentOfFailure', function* (context) {
  try {
    yield context.df.callSubOrchestrator('fails', {});
    return { caught: false };
  } catch (error) {
    return { caught: true, message: error.message };
  }
});
df.app.orchestration('retries', function* (context) {
  const { attempts, keys } = context.df.getInput();
  const options = new df.RetryOptions(10, attempts);
  const tasks = keys.map((key) => context.df.callActivityWithRetry('failTwice', options, { key }));
  try {
    const results = yield context.df.Task.all(tasks);
    const { squared } = yield context.df.callActivity('square', { n: 3 });
    return { results, squared };
  } catch (error) {
    return { gaveUp: error.message };
  }
});
df.app.orchestration('waitsForEvent', function* (context) {
  yield context.df.waitForExternalEvent('go');
});
df.app.orchestration('inputs', function* (context) {
  return {
    own: context.df.getInput(),
    object: yield context.df.callActivity('echo', { a: [1, 'x', null] }),
    text: yield context.df.callActivity('echo', 'some "text"'),
    number: yield context.df.callActivity('echo', 7),
    list: yield context.df.callActivity('echo', ['a', 'b']),
    none: yield context.df.callActivity('echo'),
    textBack: yield context.df.callActivity('answerText', {}),
    nothingBack: yield context.df.callActivity('answerNothing', {}),
  };
});
df.app.orchestration('crowd', function* (context) {
  const tasks = Array.from({ length: 40 }, () => context.df.callActivity('countConcurrent', {}));
  const results = yield context.df.Task.all(tasks);
  return { most: Math.max(...results.map(({ mostConcurrent: most }) => most)) };
});
df.app.activity('step', {
  handler: async ({ of }) => {
    await sleep(20);
    effect(`step ${of}`);
    return {};
  },
});
df.app.orchestration('steps', function* (context) {
  const { of, count } = context.df.getInput();
  for (let step = 0; step < count; step++) yield context.df.callActivity('step', { of });
});
df.app.orchestration('stepsAtOnce', function* (context) {
  const { of, count } = context.df.getInput();
  yield context.df.Task.all(Array.from({ length: count }, () => context.df.callActivity('step', { of })));
});
df.app.orchestration('groups', function* (context) {
  const tasks = Array.from({ length: 6 }, () => context.df.callSubOrchestrator('stepsAtOnce', context.df.getInput()));
  yield context.df.Task.all(tasks);
});
df.app.orchestration('callsMissing', function* (context) {
  yield context.df.callActivity('noSuchActivity', {});
});
df.app.orchestration('usesEntity', function* (context) {
  yield context.df.callEntity(new df.EntityId('counter', 'one'), 'get');
});
df.app.orchestration('parentOfNap', function* (context) {
  yield context.df.callSubOrchestrator('nap', context.df.getInput(), `child-of-${context.df.instanceId}`);
});
df.app.orchestration('naming', function* (context) {
  const first = yield context.df.callSubOrchestrator('fanOut', { count: 1 }, 'a-name-of-my-own');
  return { first };
});

// ---- HTTP: the durable client, as the app would use it
const client = (name, methods, route, handler) =>
  app.http(name, {
    methods,
    route,
    authLevel: 'function',
    extraInputs: [df.input.durableClient()],
    handler: (request, context) => handler(df.getClient(context), request, context),
  });

client('start', ['POST'], 'start/{name}', async (durable, request) => {
  const text = await request.text();
  const id = request.query.get('id');
  try {
    const started = await durable.startNew(request.params.name, {
      ...(id ? { instanceId: id } : {}),
      ...(text ? { input: JSON.parse(text) } : {}),
    });
    return { status: 202, jsonBody: { id: started } };
  } catch (error) {
    return { status: 409, jsonBody: { error: error.message } };
  }
});
client('status', ['GET'], 'instances/{id}', async (durable, request) => {
  try {
    return { jsonBody: await durable.getStatus(request.params.id) };
  } catch (error) {
    return { status: 404, jsonBody: { error: error.message } };
  }
});
client('terminate', ['POST'], 'instances/{id}/terminate', async (durable, request) => {
  await durable.terminate(request.params.id, 'for a reason');
  return { status: 202 };
});

client('purge', ['POST'], 'purge', async (durable, request) => {
  const { from, to, states } = await request.json();
  const filter = { createdTimeFrom: new Date(from), createdTimeTo: new Date(to), runtimeStatus: states };
  return { jsonBody: await durable.purgeInstanceHistoryBy(filter) };
});

app.http('hello', {
  methods: ['GET', 'POST'],
  route: 'hello/{name}/{*rest}',
  authLevel: 'function',
  handler: async (request, context) => {
    const body = Buffer.from(await request.arrayBuffer());
    context.log(`hello ${request.params.name}`);
    return {
      jsonBody: {
        params: request.params,
        query: [...request.query.entries()],
        url: request.url,
        key: request.headers.get('x-functions-key'),
        bytes: [...body.subarray(0, 8)],
        length: body.length,
      },
      headers: { 'x-fixture': 'yes' },
    };
  },
});
app.http('helloWorld', {
  methods: ['GET'],
  route: 'hello/world',
  authLevel: 'function',
  handler: () => ({ body: 'the literal route' }),
});
app.http('settings', {
  route: 'settings',
  handler: () => ({ jsonBody: process.env.SETTINGS.split(',').map((name) => process.env[name] ?? null) }),
});
app.http('talk', {
  handler: (_, context) => {
    console.error('an error on the console');
    context.warn('a warning of the function');
    context.error('an error of the function');
    return { status: 204 };
  },
});
app.http('throws', {
  route: 'throws',
  handler: () => {
    throw new Error('a secret detail');
  },
});
app.http('slow', {
  route: 'slow',
  handler: async (request) => {
    effect('slow begins');
    await sleep(Number(request.query.get('ms') ?? 400));
    effect('slow ends');
    return { body: 'done' };
  },
});
app.http('crash', {
  methods: ['POST'],
  route: 'crash',
  handler: () => {
    setTimeout(() => {
      throw new Error('outside of any function');
    });
    return { status: 202 };
  },
});

// ---- timers
app.timer('nightly', {
  schedule: '%NIGHTLY%',
  handler: async (timer, context) => {
    effect(`nightly begins pastDue=${timer.isPastDue} last=${timer.scheduleStatus?.last ?? 'never'}`);
    context.log('nightly fired');
    await sleep(100);
    effect('nightly ends');
  },
});

// ---- a trigger that this host does not support
app.serviceBusQueue('fromBus', { queueName: 'q', connection: 'NONE', handler: () => {} });

if (process.env.FIXTURE_STORAGE) require('./storage-functions.cjs');

// ---- the part of Strongroom's own API that --once calls
const runs = new Map();
app.http('runJob', {
  methods: ['POST'],
  route: 'jobs/{job}/runs',
  handler: async (request) => {
    const { job } = request.params;
    if (job === 'unknown' || job === 'uploads')
      return { status: 404, jsonBody: { title: 'Not Found', detail: 'There is no job "unknown".' } };
    const { mode } = await request.json();
    runs.set(job, { job, mode, polls: 0 });
    effect(`run ${job} ${mode}`);
    return { status: 202, headers: { location: `https://elsewhere.example/api/runs/${job}` } };
  },
});
app.http('reconcile', {
  methods: ['POST'],
  route: 'archives/{rule}/reconcile',
  handler: (request) => {
    const { rule } = request.params;
    if (rule !== 'uploads') return { status: 404, jsonBody: { title: 'Not Found', detail: 'There is no such rule.' } };
    runs.set(rule, { job: rule, polls: 0 });
    effect(`reconcile ${rule}`);
    return { status: 202, headers: { location: `https://elsewhere.example/api/runs/${rule}` } };
  },
});
app.http('getRun', {
  methods: ['GET'],
  route: 'runs/{id}',
  handler: (request) => {
    // The status of an orchestration of an earlier start, as far as it matters here.
    const run = runs.get(request.params.id) ?? { job: request.params.id, polls: 1 };
    run.polls++;
    const done = run.cancelled || (run.job !== 'endless' && run.polls > 1);
    const status = run.cancelled ? 'cancelled' : run.job === 'partly' ? 'completed-with-failures' : 'succeeded';
    return {
      jsonBody: {
        id: run.job,
        status: done ? status : 'running',
        bytes: { copied: 12 },
        counts: { copied: 3, failed: run.job === 'partly' ? 1 : 0 },
      },
    };
  },
});
app.http('cancelRun', {
  methods: ['POST'],
  route: 'runs/{id}/cancel',
  handler: (request) => {
    runs.get(request.params.id).cancelled = true;
    effect(`cancel ${request.params.id}`);
    return { status: 202 };
  },
});
