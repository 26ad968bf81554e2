"""Offers: promotions, the goods they are about, and coupons."""

from backend.app.core.resource import Resource, add_resource, room_router
from backend.app.schemas import promotions as schemas

router = room_router("/v1/billing", "offers")

add_resource(
    router,
    Resource(
        path="/promotions",
        table="promotions",
        noun="promotion",
        plural="promotions",
        row=schemas.Promotion,
        query=schemas.PromotionQuery,
        search=("name",),
        create=schemas.NewPromotion,
        update=schemas.PromotionChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/promotion-targets",
        table="promotion_targets",
        noun="promotion target",
        plural="promotion targets",
        row=schemas.PromotionTarget,
        query=schemas.PromotionTargetQuery,
        create=schemas.NewPromotionTarget,
        update=schemas.PromotionTargetChange,
        deletes=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/coupons",
        table="coupons",
        noun="coupon",
        plural="coupons",
        row=schemas.Coupon,
        query=schemas.CouponQuery,
        search=("code",),
        create=schemas.NewCoupon,
        update=schemas.CouponChange,
        archives=True,
    ),
)

add_resource(
    router,
    Resource(
        path="/coupon-uses",
        table="coupon_uses",
        noun="coupon use",
        plural="coupon uses",
        row=schemas.CouponUse,
        query=schemas.CouponUseQuery,
        key=("coupon_id", "document_id", "entry"),
        one_by_one=False,
    ),
)
