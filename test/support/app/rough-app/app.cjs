// The real app, roughly handled as a Functions host may. With ACTIVITIES_TWICE set, every activity is executed twice,
// and one of the two results is what the orchestration sees. With QUICK_TIMERS set, durable timers fire at once.
// BROKEN_ORCHESTRATOR names an orchestrator that fails, as after a deployment that changed it; HUNG_ORCHESTRATOR names
// one that never answers, as in a build that does not have it. With HIDDEN set, what an earlier process had begun
// continues only once it is told to, as in Azure, where the work items of a killed host stay invisible. Over HTTP, an
// orchestration can be terminated and activities can be ended from outside, which the app itself does not offer.
const { AsyncLocalStorage } = require('node:async_hooks');
const http = require('node:http');
const core = require('@azure/functions-core');
const { app } = require('@azure/functions');
const df = require('durable-functions');

/** Which of two executions is answered with. Only `soonest` leaves the other to itself. */
const ANSWERS = {
  /** Both at the same time. */
  first: (execute) => both(execute).then(([one]) => one),
  second: (execute) => both(execute).then(([, other]) => other),
  soonest: (execute) => Promise.race([execute(), execute()]),
  latest: (execute) => latest([execute(), execute()]),
  /** The second begins when the first has ended. */
  'in-turn': (execute) => execute().then(execute, execute),
};

const answer = ANSWERS[process.env.ACTIVITIES_TWICE] ?? ((execute) => execute());

core.registerHook('preInvocation', async (context) => {
  const { functionCallback, invocationContext } = context;
  const { type } = invocationContext.options.trigger;
  await untilVisible(type, context);
  if (type === 'activityTrigger') {
    const name = invocationContext.functionName;
    context.functionCallback = (...given) => endable(name, () => answer(async () => functionCallback(...given)));
  }
  if (type === 'orchestrationTrigger') {
    context.functionCallback = async (...given) => {
      if (invocationContext.functionName === process.env.BROKEN_ORCHESTRATOR) {
        throw new Error('Non-Deterministic workflow detected\n   at DurableTask.Core.TaskOrchestrationContext');
      }
      if (invocationContext.functionName === process.env.HUNG_ORCHESTRATOR) await new Promise(() => {});
      const state = await functionCallback(...given);
      if (process.env.QUICK_TIMERS) for (const action of state.actions.flat()) quicken(action);
      return state;
    };
  }
});

const { promise: visible, resolve: show } = Promise.withResolvers();
if (!process.env.HIDDEN) show();
/** The orchestrations that took their first turn in this process. */
const begunHere = new Set();

async function untilVisible(type, { inputs: [input], invocationContext }) {
  if (!['orchestrationTrigger', 'activityTrigger'].includes(type)) return;
  const id = type === 'activityTrigger' ? invocationContext.triggerMetadata.instanceId : input.instanceId;
  if (type === 'orchestrationTrigger' && !input.isReplaying) begunHere.add(id);
  if (begunHere.has(id)) return;
  await visible;
}

function quicken(action) {
  if (action.fireAt !== undefined) action.fireAt = new Date(0);
  for (const inner of action.compoundActions ?? []) quicken(inner);
}

/** The executions of activities that have not answered, by number. */
const executions = new Map();
const current = new AsyncLocalStorage();
let begun = 0;

/** An execution that can be ended from outside. Its work continues then, but nothing sees its answer. */
function endable(name, execute) {
  const number = String(++begun);
  return new Promise((resolve, reject) => {
    executions.set(number, { name, end: reject });
    current.run(number, execute).then(resolve, reject);
  }).finally(() => executions.delete(number));
}

// Each request says which execution sends it. The services ignore the header.
const { request } = http;
http.request = (options, ...rest) => {
  const number = current.getStore();
  const sent = request(options, ...rest);
  if (number !== undefined && !sent.headersSent) sent.setHeader('x-execution', number);
  return sent;
};

async function both(execute) {
  const ended = await Promise.allSettled([execute(), execute()]);
  return ended.map(({ status, value, reason }) => (status === 'fulfilled' ? value : Promise.reject(reason)));
}

/** What the one that ends last ends with. */
async function latest(executions) {
  let last;
  await Promise.all(
    executions.map((execution) =>
      execution.then(
        (value) => {
          last = () => value;
        },
        (error) => {
          last = () => {
            throw error;
          };
        },
      ),
    ),
  );
  return last();
}

app.http('terminate', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'api/terminate/{id}',
  extraInputs: [df.input.durableClient()],
  handler: async (request, context) => {
    await df.getClient(context).terminate(request.params.id, 'as asked');
    return { status: 202 };
  },
});

app.http('show', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'api/show',
  handler: () => {
    show();
    return { status: 202 };
  },
});

/** Ends one execution, or all as if the process of the app had died. Answers with the names of their activities. */
app.http('end', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'api/end',
  handler: async (request) => {
    const one = request.query.get('execution');
    const chosen = [...executions].filter(([number]) => one === null || one === number);
    const path = 'D:\\a\\_work\\1\\s\\src\\WebJobs.Script.Grpc\\Channel\\GrpcWorkerChannel.cs:line 1216';
    for (const [, { end }] of chosen) {
      end(
        new Error(
          `{"$type":"System.Exception","Message":"Microsoft.Azure.WebJobs.Script.Workers.WorkerProcessExitException: ` +
            `node exited with code 134 (0x86)\\n   at ${path}"}`,
        ),
      );
    }
    return { status: 202, jsonBody: { ended: chosen.map(([, { name }]) => name) } };
  },
});

require('../../../../dist/index.cjs');
