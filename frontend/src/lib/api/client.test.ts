import { afterEach, describe, expect, test, vi } from "vitest";
import { client } from "./client";
import { ApiError } from "./problem";

type Handler = (path: string, method: string) => Response;

/** Stands in for the network, and records what was asked of it. */
function network(handler: Handler) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (input: RequestInfo, init?: RequestInit) => {
    const request = new Request(new URL(input instanceof Request ? input.url : input, location.origin), init);
    const method = input instanceof Request ? input.method : request.method;
    const path = new URL(request.url).pathname;
    asked.push(`${method} ${path}`);
    return handler(path, method);
  });
  return asked;
}

const unauthenticated = () => Response.json({ title: "Log in first", code: "unauthenticated" }, { status: 401 });

afterEach(() => vi.unstubAllGlobals());

describe("an expired session", () => {
  test("is refreshed once for all calls that notice it, and each call is sent again", async () => {
    let isFresh = false;
    const asked = network((path) => {
      if (path.endsWith("/refresh")) {
        isFresh = true;
        return Response.json({});
      }
      return isFresh ? Response.json({ items: [] }) : unauthenticated();
    });
    await Promise.all([client.GET("/api/v1/connections"), client.GET("/api/v1/tables")]);
    expect(asked.filter((one) => one === "POST /api/v1/auth/refresh")).toHaveLength(1);
    expect(asked.filter((one) => one === "GET /api/v1/connections")).toHaveLength(2);
  });

  test("that cannot be refreshed ends in the first answer", async () => {
    const asked = network(unauthenticated);
    await expect(client.GET("/api/v1/auth/me")).rejects.toMatchObject({ status: 401, code: "unauthenticated" });
    expect(asked).toEqual(["GET /api/v1/auth/me", "POST /api/v1/auth/refresh"]);
  });
});

describe("a wrong password", () => {
  test("does not try to refresh a session", async () => {
    const asked = network(unauthenticated);
    const attempt = client.POST("/api/v1/auth/login", { body: { email: "a@b.co", password: "x" } });
    await expect(attempt).rejects.toBeInstanceOf(ApiError);
    expect(asked).toEqual(["POST /api/v1/auth/login"]);
  });
});
