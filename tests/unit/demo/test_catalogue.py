from proxy.demo.catalogue import id_of, new_catalogue


def test_ids_are_the_same_in_every_run():
    assert id_of("plan-0") == "bad95f1f-b8ba-5557-aa1c-cf7232bd7149"


def test_what_one_backend_changes_another_does_not_see():
    one, other = new_catalogue(), new_catalogue()
    user = one.user_by_email("alice@demo.example")
    user.preferences["budget"] = 1
    one.plans[id_of("plan-0")]["name"] = "x"
    assert other.users[user.id].preferences["budget"] != 1
    assert other.plans[id_of("plan-0")]["name"] != "x"
    assert one.user_by_email("nobody@demo.example") is None
