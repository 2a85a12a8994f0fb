// Calls to the admin API. The token lives in this variable and nowhere else.

let token = "";

export const useToken = (given) => { token = given; };
export const hasToken = () => token !== "";

/** The API said no: `status`, and what its problem document says. */
export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `status ${status}`);
    this.status = status;
    this.problem = problem;
  }
}

export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method, headers, signal,
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store", credentials: "omit", redirect: "error",
  });
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

export const askJson = async (path, options) => (await ask(path, options)).json();

/** What to tell a person of a failure. */
export function reason(error) {
  return error instanceof Refused ? error.message : "The sidecar does not answer. Try again in a moment.";
}
