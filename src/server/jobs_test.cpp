// Jobs on their routes.
#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "server/test_plant.h"

namespace millrace::server {
namespace {

const std::string json_type = "Content-Type: application/json\r\n";

TestAnswer start(TestPlant& plant, const std::string& body, const std::string& headers = "") {
  return ask(plant.address, "POST", "/api/v1/jobs", json_type + headers, body);
}

}  // namespace

TEST_CASE("a job that is asked for is answered with where to ask for it") {
  TestPlant plant;
  const auto started = start(plant, R"({"kind":"report","payload":{"of":"orders"},"priority":5,"by":"Ann"})");
  CHECK_MESSAGE(started.status == 202, started.body);
  CHECK(started.header("location") == "/api/v1/jobs/j3");
  const auto job = boost::json::parse(started.body).at("job");
  CHECK(job.at("state").as_string() == "waiting");
  CHECK(job.at("payload").at("of").as_string() == "orders");
  CHECK(job.at("priority").as_int64() == 5);
  CHECK(job.at("created_by").as_string() == "Ann");
  CHECK(job.at("cancel_url").as_string() == "/api/v1/jobs/j3/cancel");
  CHECK(job.at("result_url").is_null());
  CHECK(start(plant, R"({"kind":"report"})", "Idempotency-Key: again\r\n").header("idempotency-replayed") == "true");
}

TEST_CASE("who prefers to wait is answered with the end") {
  TestPlant plant;
  const auto started = start(plant, R"({"kind":"report"})", "Prefer: respond-async, wait=5\r\n");
  CHECK(started.status == 200);
  CHECK(started.header("preference-applied") == "wait=5");
  CHECK(boost::json::parse(started.body).at("job").at("state").as_string() == "done");
  CHECK(start(plant, R"({"kind":"report"})", "Prefer: wait=soon\r\n").status == 202);
}

TEST_CASE("a wish that cannot be a job says why") {
  TestPlant plant;
  const auto answered = [&](const std::string& body, const std::string& headers = "") { return start(plant, body, headers).status; };
  CHECK(answered("{") == 400);
  CHECK(answered(R"({"payload":{}})") == 400);
  CHECK(answered(R"({"kind":"report","payload":[]})") == 400);
  CHECK(answered(R"({"kind":"report","priority":101})") == 400);
  CHECK(answered(R"({"kind":"report","run_after":"soon"})") == 400);
  CHECK(answered(R"({"kind":"report","colour":"red"})") == 400);
  CHECK(answered(R"({"kind":"forecast"})") == 404);
  CHECK(answered(R"({"kind":"report"})", "Idempotency-Key: used\r\n") == 409);
  const auto full = start(plant, R"({"kind":"report"})", "Idempotency-Key: full\r\n");
  CHECK(full.status == 429);
  CHECK(full.header("retry-after") == "5");
  CHECK(ask(plant.address, "POST", "/api/v1/jobs", "Content-Type: text/plain\r\n", "{}").status == 415);
}

TEST_CASE("a job shows its progress, when it will be over and why its tries ended") {
  TestPlant plant;
  const auto job = boost::json::parse(plant.get("/api/v1/jobs/j2").body).at("job");
  CHECK(job.at("state").as_string() == "running");
  CHECK(job.at("progress").at("done").as_int64() == 25);
  CHECK(job.at("eta_s").as_int64() == 90);  // a quarter took 30 s
  CHECK(job.at("attempts").at(0).at("reason").as_string() == "its worker was killed by signal 9");
  CHECK(plant.get("/api/v1/jobs/j2/log").body.find("try 1, begun") != std::string::npos);
  CHECK(plant.get("/api/v1/jobs/j9").status == 404);
}

TEST_CASE("a result is JSON or a file, and there is none before the job is done") {
  TestPlant plant;
  CHECK(plant.get("/api/v1/jobs/j1/result").body == R"({"rows":3})");
  CHECK(plant.get("/api/v1/jobs/j2/result").status == 409);
  plant.jobs.leave_file("or\"ders.csv", "text/csv; charset=utf-8", 4);
  const auto file = plant.get("/api/v1/jobs/j1/result");
  CHECK(file.status == 200);
  CHECK(file.body == "a,b\n");
  CHECK(file.header("content-type") == "text/csv; charset=utf-8");
  CHECK(file.header("content-disposition") == "attachment; filename=\"or_ders.csv\"");
  plant.jobs.leave_file("orders.csv", "text/csv; charset=utf-8", 5);
  CHECK(plant.get("/api/v1/jobs/j1/result").status == 500);
  plant.jobs.leave_file("page.html", "text/html", 4);
  CHECK(plant.get("/api/v1/jobs/j1/result").header("content-type") == "application/octet-stream");
}

TEST_CASE("the list says the counts, the kinds and what is paused") {
  TestPlant plant;
  auto list = boost::json::parse(plant.get("/api/v1/jobs?state=running").body);
  CHECK(list.at("data").as_array().size() == 1);
  CHECK(list.at("counts").at("completed").as_int64() == 1);
  CHECK(list.at("kinds").at(0).at("time_max_s").as_int64() == 300);
  CHECK(boost::json::serialize(list.at("kinds").at(0).at("members")) ==
        R"([{"name":"of","type":"choice","help":"","standard":"orders","required":false,"choices":["orders","lines"]}])");
  CHECK(plant.get("/api/v1/jobs?state=lost").status == 400);
  CHECK(ask(plant.address, "POST", "/api/v1/jobs/pause?kind=report").status == 200);
  CHECK(ask(plant.address, "POST", "/api/v1/jobs/pause?kind=forecast").status == 404);
  list = boost::json::parse(plant.get("/api/v1/jobs").body);
  CHECK(list.at("kinds").at(0).at("paused").as_bool());
}

TEST_CASE("a schedule is put, refused and removed") {
  TestPlant plant;
  const auto put = [&](const std::string& body) { return ask(plant.address, "PUT", "/api/v1/jobs/schedules/nightly", json_type, body); };
  const auto made = put(R"({"kind":"report","timing":"30 2 * * *"})");
  CHECK_MESSAGE(made.status == 200, made.body);
  CHECK(boost::json::parse(made.body).at("schedule").at("next_due").as_string() == "2026-03-11T01:30:00.000Z");
  CHECK(put(R"({"kind":"report"})").status == 400);
  CHECK(put(R"({"kind":"report","timing":"never"})").status == 400);
  CHECK(put(R"({"kind":"report","timing":"every 1h","enabled":1})").status == 400);
  CHECK(ask(plant.address, "DELETE", "/api/v1/jobs/schedules/weekly").status == 404);
}

TEST_CASE("who listens to the jobs hears of their changes") {
  TestPlant plant;
  TestConnection live(plant.address);
  REQUIRE(live.upgrade().status == 101);
  live.send_text(R"({"op":"sub","id":"a","topic":"jobs"})");
  const auto first = boost::json::parse(live.read_text_with("\"delta\""));
  CHECK(first.at("jobs").at("running").at(0).at("id").as_string() == "j2");
  CHECK(ask(plant.address, "POST", "/api/v1/jobs/pause").status == 200);
  CHECK(live.read_text_with("\"paused\":true").find("\"revision\":2") != std::string::npos);
}

TEST_CASE("our own parts are answered like everybody, but never without an end") {
  TestPlant plant;
  const auto read = [&](const std::string& path) -> std::string {
    auto answer = plant.server->ask(path);
    if (!answer) return std::string(traits(answer.error().code()).name);
    std::string text;
    while (*(*answer)->next(text)) {
    }
    return std::to_string((*answer)->status()) + " " + text;
  };
  CHECK(read("/api/v1/orders.csv?status=Open&fields=order") == "200 " + plant.get("/api/v1/orders.csv?status=Open&fields=order").body);
  CHECK(read("/api/v1/orders?wheel=red").starts_with("400 "));
  CHECK(read("/api/v1/nothing").starts_with("404 "));
  CHECK(read("/api/v1/live") == "invalid_input");
  CHECK(read("http://evil.example/") == "invalid_input");
}

}  // namespace millrace::server
