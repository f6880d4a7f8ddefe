#include <doctest/doctest.h>

#include <boost/json.hpp>

#include "server/test_plant.h"

namespace millrace::server {
namespace {

boost::json::value parsed(const std::string& text) { return boost::json::parse(text); }

// The plant with an order that its ERP and a folder see differently.
void tell_difference(TestPlant& plant) {
  plant.world.sales_order("43670").customer("C1", "ACME").line("4", "EUR 1.00").file("Open/Orders(1)", "sap").also_file("Open/SO43670.json", "orders").difference(
      {"quantity", 1, {{0, "4"}, {1, "5"}}, 0, "erp-wins", "", std::nullopt});
  plant.commit();
}

}  // namespace

TEST_CASE("differences say what every source says, whose value counts and why") {
  TestPlant plant;
  tell_difference(plant);
  const auto list = parsed(plant.get("/api/v1/differences").body);
  REQUIRE(list.at("data").as_array().size() == 1);
  const auto& row = list.at("data").as_array()[0];
  CHECK(row.at("order").as_string() == "43670");
  CHECK(row.at("customer").as_string() == "C1");
  CHECK(row.at("field").as_string() == "quantity");
  CHECK(row.at("line").as_int64() == 1);
  CHECK(row.at("values").as_array()[1].at("source").as_string() == "orders");
  CHECK(row.at("values").as_array()[1].at("text").as_string() == "5");
  CHECK(row.at("counts").as_string() == "sap");
  CHECK(row.at("rule").as_string() == "erp-wins");
  CHECK(row.at("decided_by").is_null());
  CHECK(list.at("orders").as_int64() == 1);
  CHECK(list.at("next").is_null());
  CHECK(parsed(plant.get("/api/v1/differences?field=promise").body).at("data").as_array().empty());
  CHECK(parsed(plant.get("/api/v1/differences?decided=1").body).at("data").as_array().empty());
  CHECK(plant.get("/api/v1/differences?decided=maybe").status == 400);
  CHECK(plant.get("/api/v1/differences?colour=red").status == 400);
  CHECK(plant.get("/api/v1/differences?cursor=x").status == 400);
  const auto csv = plant.get("/api/v1/differences.csv");
  CHECK(csv.body.find("43670,C1,ACME,quantity,1,sap,4,1,erp-wins,") != std::string::npos);
  CHECK(csv.body.find("43670,C1,ACME,quantity,1,orders,5,0,erp-wins,") != std::string::npos);
}

TEST_CASE("an order, its provenance, the order list and today's answer show that its sources differ") {
  TestPlant plant;
  tell_difference(plant);
  const auto order = parsed(plant.get("/api/v1/orders/43670").body).at("order");
  CHECK(order.at("differences").as_array()[0].at("counts").as_string() == "sap");
  CHECK(order.at("origins").as_array().empty());
  CHECK(parsed(plant.get("/api/v1/orders/43670/provenance").body).at("differences").as_array().size() == 1);
  CHECK(parsed(plant.get("/api/v1/orders/43659").body).at("order").at("differences").as_array().empty());
  CHECK(parsed(plant.get("/api/v1/orders?differences=1").body).at("total").as_int64() == 1);
  CHECK(plant.get("/api/v1/orders?differences=some").status == 400);
  CHECK(parsed(plant.get("/api/v1/today").body).at("differences").as_int64() == 1);
}

TEST_CASE("a decision answers the order as it counts now, before the read model has it") {
  TestPlant plant;
  tell_difference(plant);
  const std::string json = "Content-Type: application/json\r\n", address = "/api/v1/orders/43670/differences";
  const auto decided = ask(plant.address, "POST", address, json, R"({"field":"quantity","line":1,"source":"orders","by":"Ann"})");
  CHECK(decided.status == 200);
  const auto answer = parsed(decided.body);
  CHECK(answer.at("order").at("order").as_string() == "43670");
  CHECK(answer.at("order").at("flags").as_array()[0].as_string() == "quantity from orders by Ann line 1");
  CHECK(answer.at("as_of").as_int64() == static_cast<std::int64_t>(plant.snapshot->as_of().value) + 1);
  CHECK(ask(plant.address, "POST", address, json, R"({"field":"quantity"})").status == 400);
  CHECK(ask(plant.address, "POST", address, json, R"({"field":"quantity","source":"orders","line":"two"})").status == 400);
  CHECK(ask(plant.address, "POST", address, "", R"({"field":"quantity","source":"orders"})").status == 415);
  CHECK(ask(plant.address, "POST", "/api/v1/orders/1/differences", json, R"({"field":"quantity","source":"orders"})").status == 404);
  const auto undone = ask(plant.address, "DELETE", address + "?field=quantity&line=1", "", "");
  CHECK(undone.status == 200);
  CHECK(parsed(undone.body).at("order").at("flags").as_array()[0].as_string() == "quantity by rule line 1");
  CHECK(ask(plant.address, "DELETE", address, json, R"({"field":"quantity","line":1})").status == 200);
  CHECK(ask(plant.address, "DELETE", address, "", "").status == 400);
}

}  // namespace millrace::server
